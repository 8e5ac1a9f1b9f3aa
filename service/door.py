"""The way in: uvicorn's HTTP protocol, with an end to how long, how large and how ambiguous a request may be."""

import asyncio
import uuid
from typing import Any, NoReturn

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from models.errors import ReparamError
from service import head, open_files, trace
from service.errors import BodyTooLarge, answer_to
from service.journal import Journal
from service.lingering import Lingering
from service.metrics import Metrics
from service.refusals import HeadersTooLarge, MalformedRequest, TooManyConnections, TooSlow
from service.settings import Settings
from service.unread import Unread

_RATE = 65_536  # bytes; a body may take a second longer for each so many
_TICK = 1.0  # seconds between two looks at a connection, less where the deadlines are shorter


class Door(HttpToolsProtocol):
    """One connection. What it refuses before the app has the request it answers itself; later, the app does.

    For the app, the refusal of a body under way stands in the scope as "refusal" when the next part is received.
    """

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        state: Any = config.app.state  # type: ignore[union-attr]  # of the app that create_app makes
        settings: Settings = state.settings
        self._metrics: Metrics = state.metrics
        self._journal: Journal = state.journal
        self._settings = settings
        self._tick = min(_TICK, settings.header_seconds / 4, settings.body_seconds / 4, settings.write_seconds / 4)
        self._timer: asyncio.TimerHandle | None = None
        self._since: float | None = None  # when the request that is coming in began
        self._has_begun = False
        self._is_head = True
        self._chunk = 0  # bytes that came last
        self._fed = 0  # bytes of the request before those
        self._chunks = 0
        self._refusal: ReparamError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._unread = Unread(transport, self._settings.write_seconds)
        if why := self._too_many():
            self._metrics.rejected.labels("connections").inc()
            self._refusal = TooManyConnections(why, retry_after=1)
            transport.write(self._written(self._refusal)[1])
            transport.close()
            return
        self._since = self.loop.time()
        self._timer = self.loop.call_later(self._tick, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer:
            self._timer.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal:
            return
        self._unset_keepalive_if_required()
        self._chunk = len(data)
        if self._since is None:
            self._since, self._is_head, self._fed = self.loop.time(), True, 0
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:  # nothing is upgraded; what follows would be read as another protocol
            self.cycle.keep_alive = False
        except httptools.HttpParserError:
            self._refuse(self._refusal or MalformedRequest("this is not HTTP/1.1, or more than one way to read it"))
        else:
            self._fed += self._chunk
            self._check_size()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._since, self._has_begun, self._is_head, self._chunks = self.loop.time(), True, True, 0
        self._fed = -self._chunk  # what came with its beginning is not counted: some of it may be of the one before

    def on_headers_complete(self) -> None:
        self._check_head()
        super().on_headers_complete()
        self._is_head = False
        self.headers = []  # for what comes behind the body; the app has the others

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > self._settings.chunks:
            self._raise(BodyTooLarge(f"the body is in more than {self._settings.chunks:,} chunks"))

    def on_message_complete(self) -> None:
        if self.headers:
            self._raise(MalformedRequest("no headers are taken behind a body"))
        self._since, self._has_begun = None, False
        super().on_message_complete()

    def resume_writing(self) -> None:
        self._unread.forget()
        super().resume_writing()

    def _too_many(self) -> str | None:
        if len(self.connections) > min(self._settings.connections, open_files.room()):
            return "there are too many connections"
        most = self._settings.connections_per_address
        if most is not None and sum(_host(each) == _host(self) for each in self.connections) > most:
            return f"your address has {most:,} connections; use them again, or close one"
        return None

    def _check_head(self) -> None:
        settings, upgrades = self._settings, self.parser.should_upgrade()
        try:
            head.check(self.headers, self.parser.get_http_version(), upgrades=upgrades, most=settings.headers)
            if self._fed + self._chunk > 0 or self._chunk > settings.header_bytes:  # else it cannot be too large
                head.check_size(self.headers, self.url, settings.header_bytes)
        except ReparamError as refusal:
            self._raise(refusal)

    def _check_size(self) -> None:
        if self._since is None:
            return
        if self._is_head and self._fed > self._settings.header_bytes:
            self._refuse(HeadersTooLarge(head.TOO_LARGE))
        elif self._fed > self._settings.body_bytes + self._settings.header_bytes + 8 * self._chunks:
            self._refuse(BodyTooLarge(f"the body is over the limit of {self._settings.body_bytes:,} bytes"))

    def _look(self) -> None:
        """Whether what has begun to come or to go still gets on."""
        now = self.loop.time()
        self._timer = self.loop.call_later(self._tick, self._look)
        if self._unread.is_stuck(now):
            self.transport.abort()
        elif self._since is None or self._refusal or self.flow.read_paused or now < self._since + self._patience():
            return
        elif self._has_begun:
            self._refuse(TooSlow("the request was not whole in time"))
        else:
            self.transport.close()  # nothing was ever said

    def _patience(self) -> float:
        if self._is_head:
            return self._settings.header_seconds
        return min(self._settings.receive_seconds, self._settings.body_seconds + max(0, self._fed) / _RATE)

    def _raise(self, refusal: ReparamError) -> NoReturn:
        """Out of the parser, which stops there."""
        self._refusal = refusal
        raise refusal

    def _refuse(self, refusal: ReparamError) -> None:
        """Read no further; the answer to the request at hand, if it has none yet, is the refusal."""
        self._refusal = refusal
        cycle = self.cycle
        lingering = Lingering(self.transport, self.loop)
        if self._is_head and (cycle is None or cycle.response_complete):
            self._answer(refusal)
            lingering.close()
        elif cycle.response_complete:
            self.transport.close()
        else:  # of this request, or of one before it, which is then the last that is answered
            cycle.keep_alive = False
            if not self._is_head:
                cycle.transport = lingering  # type: ignore[assignment]  # as much of one as it uses
                cycle.scope["refusal"] = refusal  # type: ignore[typeddict-unknown-key]
                cycle.message_event.set()

    def _answer(self, refusal: ReparamError) -> None:
        here = trace.begin(uuid.uuid4().hex)
        status, content = self._written(refusal)
        self.transport.write(content)
        self._metrics.requests.labels("", "", "", status).inc()
        self._journal.note(here, "", b"", status, 0.0)

    def _written(self, refusal: ReparamError) -> tuple[int, bytes]:
        response = answer_to(refusal)
        headers = [*self.server_state.default_headers, *response.raw_headers, (b"connection", b"close")]
        lines = [b"%b: %b\r\n" % header for header in headers]
        return response.status_code, b"".join([STATUS_LINE[response.status_code], *lines, b"\r\n", response.body])


def _host(connection: Any) -> str:
    """The address at the other end, without its port; all of a local socket have one."""
    return connection.client[0] if connection.client else ""
