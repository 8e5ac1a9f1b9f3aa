"""The journal of requests: one line of JSON each, written in batches by a thread, so that no request waits for it."""

import asyncio
import errno
import os
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime

import orjson

from service.trace import Trace

_SECONDS = 0.1  # between two writes; what a kill takes with it
_MOST_LINES = 100_000  # that wait for a reader who has stopped reading; later ones are counted instead
_ATOMIC = 4096  # bytes that a pipe takes whole, so that lines of several processes never mix
_LONGEST_PATH = 512
_NOBODY_READS = {errno.EPIPE, errno.EBADF}  # for good; a full disk, for one, may have room again


class Journal:
    """Lines to a file descriptor. It says whom a request asked and what became of it, never what it carried."""

    def __init__(self, descriptor: int | None) -> None:
        """None: nothing is written."""
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._missed = 0
        self._is_torn = False  # whether the last line written is only a part of one
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
        """A part of a line, which a full disk took, has the next line below it."""
        whole = left = b"\n" + piece if self._is_torn and piece else piece
        try:
            while left and self._descriptor is not None:
                left = left[os.write(self._descriptor, left) :]
        except OSError as error:
            self._missed += left.strip().count(b"\n") + 1
            if error.errno in _NOBODY_READS:
                self._descriptor = None
        if written := whole[: len(whole) - len(left)]:
            self._is_torn = not written.endswith(b"\n")
