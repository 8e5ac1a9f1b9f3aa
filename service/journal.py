"""The journal of requests: one line of JSON each, written in batches by a thread, so that no request waits for it."""

import asyncio
import os
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import orjson

from service.trace import Trace

_SECONDS = 0.1  # between two writes; what a kill takes with it
_MOST_LINES = 100_000  # that wait for a reader who has stopped reading; later ones are counted instead
_ATOMIC = 4096  # bytes that a pipe takes whole, so that lines of several processes never mix
_LONGEST_PATH = 512


class Journal:
    """Lines to a file descriptor. It says whom a request asked and what became of it, never what it carried."""

    def __init__(self, descriptor: int | None) -> None:
        """None: nothing is written."""
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._missed = 0
        self._timer: asyncio.TimerHandle | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._writing: Future[None] | None = None

    def note(self, request: Trace, method: str, path: bytes, status: int, seconds: float) -> None:
        """`path` is the raw one, without its query: a caller may put there what nobody else should read."""
        if self._descriptor is None:
            return
        if len(self._lines) >= _MOST_LINES:
            self._missed += 1
            return
        self._lines.append(
            orjson.dumps(
                {
                    "time": datetime.now(UTC),
                    "level": "info",
                    "request_id": request.request_id,
                    "key": request.caller,
                    "method": method,
                    "path": path[:_LONGEST_PATH].decode("ascii", "replace"),
                    "status": status,
                    "problem": request.problem,
                    "model": request.model,
                    "version": request.version,
                    "verb": request.operation,
                    "rows": request.rows,
                    "us": int(1e6 * seconds),
                    "queue_us": int(1e6 * request.queue),
                    "infer_us": int(1e6 * request.infer),
                    "encode_us": int(1e6 * request.encode),
                },
                option=orjson.OPT_APPEND_NEWLINE,
            )
        )
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_SECONDS, self._write_later)

    def close(self) -> None:
        """Write what there is."""
        if self._timer:
            self._timer.cancel()
        self._thread.shutdown(wait=True)
        self._write(self._taken())

    def _write_later(self) -> None:
        loop = asyncio.get_running_loop()
        self._timer = None
        if self._writing and not self._writing.done():  # its reader is slow
            self._timer = loop.call_later(_SECONDS, self._write_later)
        elif self._lines:
            self._writing = self._thread.submit(self._write, self._taken())

    def _taken(self) -> list[bytes]:
        lines, self._lines = self._lines, []
        if self._missed:
            lines.append(orjson.dumps({"level": "warning", "missed": self._missed}) + b"\n")
            self._missed = 0
        return lines

    def _write(self, lines: list[bytes]) -> None:
        piece = b""
        for line in lines:
            if len(piece) + len(line) > _ATOMIC:
                self._put(piece)
                piece = b""
            piece += line
        self._put(piece)

    def _put(self, piece: bytes) -> None:
        while piece and self._descriptor is not None:
            try:
                piece = piece[os.write(self._descriptor, piece) :]
            except OSError:  # nobody reads any more
                self._descriptor = None
