"""How often each key asks, counted over all processes of this machine in a small file that they share."""

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from limits.storage import Storage

_SLOT = struct.Struct("<16sdQ")  # digest of what is counted, end of its window in Unix seconds, count
_SLOTS = 2**16  # far more than keys; what is never written takes no memory
_EMPTY = bytes(16)


class SharedCounts(Storage):
    """A storage of `limits`: fixed windows, each beginning with the first request that finds none open.

    A lock of the file makes each count exact also between processes; the kernel lifts it if its holder is killed.
    Counts end with the file. Not for threads, nor for the file systems of a network.
    """

    STORAGE_SCHEME = ["reparam-file"]

    def __init__(self, path: Path | None) -> None:
        """None: in memory, for this process alone."""
        super().__init__()
        self._file: int | None = None
        if path is not None:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            os.ftruncate(self._file, _SLOT.size * _SLOTS)
        self._slots = mmap.mmap(-1 if self._file is None else self._file, _SLOT.size * _SLOTS)

    @property
    def base_exceptions(self) -> type[Exception]:
        return OSError

    def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        """The count with this one, of the window that lasts `expiry` seconds."""
        now = time.time()
        with self._locked():
            place, until, count = self._find(key)
            if not now < until <= now + expiry:  # over, or set by a clock that has been put back since
                until, count = now + expiry, 0
            _SLOT.pack_into(self._slots, place, _digest(key), until, count + amount)
        return count + amount

    def get(self, key: str) -> int:
        with self._locked():
            _, until, count = self._find(key)
        return count if time.time() < until else 0

    def get_expiry(self, key: str) -> float:
        with self._locked():
            return max(self._find(key)[1], time.time())

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._locked():
            self._slots[:] = bytes(len(self._slots))
        return _SLOTS

    def clear(self, key: str) -> None:
        with self._locked():
            place, _, _ = self._find(key)
            _SLOT.pack_into(self._slots, place, _digest(key), 0.0, 0)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        if self._file is None:
            yield
            return
        fcntl.lockf(self._file, fcntl.LOCK_EX)  # a lock of the process: it holds also between those that were forked
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN)

    def _find(self, key: str) -> tuple[int, float, int]:
        """Where the key stands or may stand, the end of its window and its count; a window that is over leaves room."""
        digest, now, free = _digest(key), time.time(), None
        first = int.from_bytes(digest[:4], "little")
        for step in range(_SLOTS):
            place = (first + step) % _SLOTS * _SLOT.size
            owner, until, count = _SLOT.unpack_from(self._slots, place)
            if owner == digest:
                return place, until, count
            if free is None and until <= now:
                free = place
            if owner == _EMPTY:
                break
        if free is None:
            raise OSError("more is being counted than there is room for")
        return free, 0.0, 0


def _digest(key: str) -> bytes:
    return hashlib.blake2b(key.encode(), digest_size=16).digest()
