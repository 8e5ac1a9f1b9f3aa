"""The end of a connection whose caller may still be sending: the last answer has to reach it first."""

import asyncio

_SECONDS = 2.0


class Lingering:
    """In the place of a transport: `close` says goodbye, and what still comes is thrown away for a while.

    A socket that is closed with bytes unread is reset, and the answer with it.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def is_closing(self) -> bool:
        return self._transport.is_closing()

    def close(self) -> None:
        if not self._transport.is_closing():
            self._transport.resume_reading()
            self._transport.write_eof()
            self._loop.call_later(_SECONDS, self._transport.abort)
