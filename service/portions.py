"""Large answers leave in portions, so that what callers have not taken yet is counted and has a limit."""

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service import errors
from service.metrics import Metrics
from service.refusals import AnswersUnread

_LARGE = 2**16  # bytes; what is smaller is not counted
_PORTION = 2**19  # bytes, more than the slowest caller who is waited for takes while it is


class Portions:
    """ASGI middleware. While `most` bytes of answers wait for their callers, large ones are refused in their turn.

    A single one is let out whatever its size. A stream of lines that meets the limit says so in its last line, and can
    be taken up again at the index where it ended.
    """

    def __init__(self, app: ASGIApp, most: int, metrics: Metrics) -> None:
        self._app = app
        self._most = most
        self._metrics = metrics
        self.unread = 0  # bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(self, scope, receive, send)
        try:
            await self._app(scope, receive, answer.send)
        finally:
            self.unread -= answer.announced

    def take(self, size: int) -> None:
        """AnswersUnread where there is no room for so many bytes."""
        if self.unread and self.unread + size > self._most:
            self._metrics.rejected.labels("unread").inc()
            raise AnswersUnread("too many answers wait for callers who do not read them; ask again", retry_after=1)
        self.unread += size


class _Answer:
    """One on its way out."""

    def __init__(self, portions: Portions, scope: Scope, receive: Receive, send: Send) -> None:
        self._portions = portions
        self._scope = scope
        self._receive = receive
        self._send = send
        self._is_refused = False
        self.announced = 0  # bytes of it that are counted from beginning to end

    async def send(self, message: Message) -> None:
        if self._is_refused:
            return
        if message["type"] == "http.response.start":
            await self._begin(message)
        elif len(message.get("body", b"")) <= _LARGE:
            await self._send(message)
        elif self.announced:
            await self._send_portions(message)
        else:
            await self._send_of_a_stream(message)

    async def _begin(self, message: Message) -> None:
        size = next((int(value) for name, value in message["headers"] if name == b"content-length"), 0)
        if size > _LARGE:
            try:
                self._portions.take(size)
            except AnswersUnread as error:
                self._is_refused = True
                await errors.answer_to(error)(self._scope, self._receive, self._send)
                return
            self.announced = size
        await self._send(message)

    async def _send_of_a_stream(self, message: Message) -> None:
        size = len(message["body"])
        try:
            self._portions.take(size)
        except AnswersUnread as error:
            last = bytes(errors.answer_to(error).body) + b"\n"
            await self._send({"type": "http.response.body", "body": last, "more_body": False})
            raise ClientDisconnect from error  # as good as gone: nothing more is to be computed for it
        try:
            await self._send_portions(message)
        finally:
            self._portions.unread -= size

    async def _send_portions(self, message: Message) -> None:
        """Each waits until the caller has taken most of the one before."""
        body = memoryview(message["body"])
        last = (len(body) - 1) // _PORTION * _PORTION
        for start in range(0, len(body), _PORTION):
            more_body = start < last or message.get("more_body", False)
            part = body[start : start + _PORTION]
            await self._send({"type": "http.response.body", "body": part, "more_body": more_body})
