"""What a caller has not taken of its answers yet."""

import asyncio

_RATE = 16_384  # bytes a second, the least at which an answer may be read


class Unread:
    """Stuck, if there is something and in so many seconds too little of it was taken; looked at from time to time."""

    def __init__(self, transport: asyncio.Transport, seconds: float) -> None:
        self._transport = transport
        self._seconds = seconds
        self._since = 0.0
        self._size = 0

    def is_stuck(self, now: float) -> bool:
        before, size = self._size, self._transport.get_write_buffer_size()
        if before and size and now < self._since + self._seconds:
            return False
        self._since, self._size = now, size
        return bool(before and size) and before - size < self._seconds * _RATE

    def forget(self) -> None:
        """The caller took so much that the app writes on."""
        self._size = 0
