"""What every request passes through: an id, a deadline, a trace, and an answer also where Reparam has a bug."""

import asyncio
import logging
import re
import time
import uuid
from http import HTTPStatus

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import trace
from service.departure import Departure
from service.errors import DeadlinePassed, answer_to, problem
from service.metrics import Metrics

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")
_MILLISECONDS = re.compile(r"[0-9]{1,9}")
_CALLER_LEFT = 499  # no status of HTTP: nobody is there to read one
_DEADLINES = ("x-request-timeout-ms", "x-envoy-expected-rq-timeout-ms")

_log = logging.getLogger("reparam")


class Envelope:
    """ASGI middleware around everything."""

    def __init__(self, app: ASGIApp, metrics: Metrics, timeout_seconds: float) -> None:
        self._app = app
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        headers = Headers(scope=scope)
        here = trace.begin(_request_id(headers))
        caller = Departure(receive)
        status = 0

        async def stamp(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                caller.forget()  # from now on sending tells
                stamped = MutableHeaders(scope=message)
                stamped["X-Request-ID"] = here.request_id
                stamped["Server-Timing"] = here.server_timing
            await send(message)

        try:
            async with asyncio.timeout(_timeout(headers, self._timeout_seconds)), caller:
                await self._app(scope, caller.receive, stamp)
        except TimeoutError:
            if not status:
                late = DeadlinePassed("the answer was not there before the deadline; ask for fewer rows or wait longer")
                await answer_to(late)(scope, receive, stamp)
        except ClientDisconnect:
            status = _CALLER_LEFT
            self._metrics.cancelled.labels("answer" if caller.is_read else "body").inc()
        except Exception:  # the request boundary: a bug costs this request alone
            _log.exception("request %s met a bug", here.request_id)
            if status:
                raise
            answer = problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a bug in Reparam; the request was well-formed")
            await answer(scope, receive, stamp)
        self._metrics.requests.labels(here.model, here.version, here.operation, status).inc()
        self._metrics.request_duration.labels(here.operation).observe(time.perf_counter() - started)


def _request_id(headers: Headers) -> str:
    """The caller's, if it is harmless, else a new one."""
    given = headers.get("x-request-id", "")
    return given if _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex


def _timeout(headers: Headers, default: float) -> float:
    """Seconds: the least that the caller gives, at most the operator's."""
    given = [headers.get(name, "") for name in _DEADLINES]
    return min([default, *(int(value) / 1000 for value in given if _MILLISECONDS.fullmatch(value))])
