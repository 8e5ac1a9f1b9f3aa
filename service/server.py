"""One process that serves: uvicorn, which on SIGTERM says that it leaves before it closes."""

import asyncio
import signal
import socket
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.server import HANDLED_SIGNALS

from service.settings import Settings

_CLOSING = (b"connection", b"close")
_LAST_ANSWERS = 1.0  # seconds beyond the longest deadline, after which no answer can be under way


class Server(uvicorn.Server):
    """After SIGTERM it answers for `drain_seconds` more, not ready and closing each connection after its answer.

    So whoever asks whether it is ready goes elsewhere in time. After SIGINT, from a keyboard, it closes at once. Either
    way what is under way is answered; a second signal ends the process there and then.
    """

    def __init__(self, config: uvicorn.Config, settings: Settings) -> None:
        super().__init__(config)
        self._drain_seconds = settings.drain_seconds
        self._loop: asyncio.AbstractEventLoop | None = None

    async def serve(self, sockets: list[socket.socket] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        await super().serve(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal; the next one has its default effect."""
        for handled in HANDLED_SIGNALS:
            signal.signal(handled, signal.SIG_DFL)
        assert self._loop
        self._loop.call_soon_threadsafe(self.leave, 0.0 if sig == signal.SIGINT else self._drain_seconds)

    def leave(self, seconds: float) -> None:
        """Say that it is leaving, and close after so many seconds."""
        app: Any = self.config.app
        app.state.registry.leave()
        self.config.encoded_headers.append(_CLOSING)
        self.server_state.default_headers.append(_CLOSING)  # requests under way have this very list
        asyncio.get_running_loop().call_later(seconds, self._close)

    def _close(self) -> None:
        self.should_exit = True


def serve(settings: Settings, app: Any, sockets: list[socket.socket] | None = None) -> None:
    """Until a signal has ended it, on the sockets or on one of its own."""
    Server(configuration(settings, app), settings).run(sockets)


def configuration(settings: Settings, app: Any = None) -> uvicorn.Config:
    """How uvicorn serves the app; without one it can bind a socket."""
    return uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        log_level="info",
        access_log=False,
        timeout_graceful_shutdown=int(settings.timeout_seconds + _LAST_ANSWERS),
    )
