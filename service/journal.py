"""The journal of requests: one line of JSON each, written in the turn of the event loop that answered them."""

import asyncio
import errno
import time
from collections import deque
from datetime import UTC, datetime

import orjson

from service.metrics import Metrics
from service.outlet import ATOMIC, Outlet
from service.trace import Trace

_PAUSE = 0.1  # seconds until a reader who has fallen behind is tried again
_PATIENCE = 1.0  # seconds for such a reader at the end
_MOST_LINES = 20_000  # that wait for such a reader; later ones are counted instead
_LONGEST_PATH = 512
_SHOWN = bytes(byte if 0x20 <= byte < 0x7F else ord("?") for byte in range(256))
_NOBODY_READS = {errno.EPIPE, errno.EBADF}  # for good; a full disk, for one, may have room again


class Journal:
    """Lines to a file descriptor. It says whom a request asked and what became of it, never what it carried."""

    def __init__(self, descriptor: int | None, metrics: Metrics) -> None:
        """None: nothing is written."""
        self._outlet = None if descriptor is None else Outlet(descriptor)
        self._metrics = metrics
        self._lines: deque[bytes] = deque()
        self._rest = b""  # of a line that was taken in part
        self._missed = 0
        self._is_due = False

    def note(self, request: Trace, method: str, path: bytes, status: int, seconds: float) -> None:
        """`path` is the raw one, without its query: a caller may put there what nobody else should read."""
        if self._outlet is None:
            return
        if len(self._lines) >= _MOST_LINES:
            self._missed += 1
            self._metrics.journal_missed.inc()
            return
        self._tell_missed()
        self._lines.append(_line(request, method, path, status, seconds))
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    def close(self) -> None:
        """Write what there is; a reader who stands still is not waited for much longer."""
        until = time.monotonic() + _PATIENCE
        self._tell_missed()
        while not self._write() and time.monotonic() < until:
            time.sleep(0.01)
        self._end()

    def _tell_missed(self) -> None:
        if self._missed:
            self._lines.append(orjson.dumps({"level": "warning", "missed": self._missed}) + b"\n")
            self._missed = 0

    def _turn(self) -> None:
        self._is_due = not self._write()
        if self._is_due:
            asyncio.get_running_loop().call_later(_PAUSE, self._turn)

    def _write(self) -> bool:
        """Whether nothing is left."""
        try:
            while self._outlet and (self._rest or self._lines):
                self._rest = self._rest or self._next_piece()
                self._rest = self._rest[self._outlet.put(self._rest) :]
                if self._rest:
                    return False
        except OSError as error:
            if error.errno not in _NOBODY_READS:
                return False
            self._end()
        return True

    def _end(self) -> None:
        if self._outlet:
            self._outlet.close()
        self._outlet = None

    def _next_piece(self) -> bytes:
        """As many whole lines as are taken at once."""
        piece = self._lines.popleft()
        while self._lines and len(piece) + len(self._lines[0]) <= ATOMIC:
            piece += self._lines.popleft()
        return piece


def _line(request: Trace, method: str, path: bytes, status: int, seconds: float) -> bytes:
    return orjson.dumps(
        {
            "time": datetime.now(UTC),
            "level": "info",
            "request_id": request.request_id,
            "key": request.caller,
            "method": method,
            "path": path[:_LONGEST_PATH].translate(_SHOWN).decode("ascii"),
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
