"""What every request passes through: an id, a deadline, a trace, and an answer also where Reparam has a bug."""

import logging
import random
import re
import time
from collections.abc import Awaitable

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import browser, given, trace
from service.attendance import Attendance, Visit
from service.errors import DeadlinePassed, answer_to
from service.journal import Journal
from service.metrics import Metrics
from service.statistics import Statistics

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,128}")
_MILLISECONDS = re.compile(rb"[0-9]{1,9}")
_CALLER_LEFT = 499  # no status of HTTP: nobody is there to read one
_LINES = (
    b"content-type",
    b"application/x-ndjson",
)  # an answer under way that can still say, in a last line, what became of it
_DEADLINES = (b"x-request-timeout-ms", b"x-envoy-expected-rq-timeout-ms")

_log = logging.getLogger("reparam")


class Envelope:
    """ASGI middleware around everything."""

    def __init__(
        self, app: ASGIApp, metrics: Metrics, statistics: Statistics, journal: Journal, timeout_seconds: float
    ) -> None:
        self._app = app
        self._metrics = metrics
        self._statistics = statistics
        self._journal = journal
        self._timeout_seconds = timeout_seconds
        self._attendance = Attendance()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = given.headers(scope)
        here = trace.begin(_request_id(headers))
        here.address = scope["client"][0] if scope.get("client") else ""
        here.deadline = started + _timeout(headers, self._timeout_seconds)
        visit = Visit(self._attendance, receive, scope, started, here.deadline)
        status = 0
        is_of_lines = False

        def stamp(message: Message) -> Awaitable[None]:
            nonlocal status, is_of_lines
            if message["type"] == "http.response.start":
                status = message["status"]
                is_of_lines = _LINES in message["headers"]
                visit.answered(is_whole=not is_of_lines)
                message["headers"] = [
                    *message["headers"],
                    (b"x-request-id", here.request_id.encode()),
                    (b"server-timing", here.server_timing),
                    *browser.told(scope["path"]),
                ]
            return send(message)

        try:
            with visit:
                await self._app(scope, visit.receive, stamp)
        except TimeoutError:
            late = answer_to(DeadlinePassed("the answer was not whole before the deadline; ask for fewer rows or wait"))
            if not status:
                await late(scope, receive, stamp)
            elif is_of_lines:
                await send({"type": "http.response.body", "body": bytes(late.body) + b"\n"})
        except ClientDisconnect:
            status = _CALLER_LEFT
            self._metrics.cancelled.labels("answer" if visit.is_read else "body").inc()
        except Exception as bug:  # the request boundary: a bug costs this request alone
            _log.exception("request %s met a bug", here.request_id)
            if status:
                raise
            await answer_to(bug)(scope, receive, stamp)
        seconds = time.perf_counter() - started
        self._metrics.answered(here.model, here.version, here.operation, status, seconds)
        self._statistics.note(here, status, seconds)
        self._journal.note(here, scope["method"], scope.get("raw_path", b""), status, seconds)


def _request_id(headers: dict[bytes, bytes]) -> str:
    """The caller's, if it is harmless, else a new one."""
    asked = headers.get(b"x-request-id")
    return asked.decode() if asked and _REQUEST_ID.fullmatch(asked) else f"{random.getrandbits(128):032x}"


def _timeout(headers: dict[bytes, bytes], default: float) -> float:
    """Seconds: the least that the caller gives, at most the operator's."""
    for name in _DEADLINES:
        if name in headers and _MILLISECONDS.fullmatch(headers[name]):
            default = min(default, int(headers[name]) / 1000)
    return default
