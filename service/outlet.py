"""A file descriptor that is written without ever waiting for whoever reads it."""

import os
import select
import stat
from contextlib import suppress

ATOMIC = 4096  # bytes that a pipe takes whole or not at all, so that lines of several processes never mix


class Outlet:
    """OSError once nobody can read any more."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = _own(descriptor)
        self._is_own = self._descriptor != descriptor
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLOUT)

    def put(self, piece: bytes) -> int:
        """How many bytes are taken now; a piece is at most ATOMIC bytes long."""
        if not self._poll.poll(0):
            return 0
        try:
            return os.write(self._descriptor, piece)
        except BlockingIOError:  # another process took the room
            return 0

    def close(self) -> None:
        if self._is_own:
            os.close(self._descriptor)


def _own(descriptor: int) -> int:
    """A pipe is opened anew: that it does not wait must hold for nobody else who has it, standard error for one."""
    if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
        with suppress(OSError):
            return os.open(f"/proc/self/fd/{descriptor}", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    return descriptor
