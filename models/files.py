"""Files read and written with care: plain ones only, no more bytes than allowed, on the disk when done."""

import os
import stat
from pathlib import Path

from models.errors import BundleError


def read_plain(path: Path, limit: int) -> bytes:
    """At most `limit` bytes of a plain file; links, pipes and longer files are refused."""
    try:
        file = open(path, "rb", opener=_open_without_following)  # noqa: SIM115 -- closed below
    except OSError as error:
        raise BundleError(f"{path.name} cannot be read: {error.strerror}") from error
    with file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise BundleError(f"{path.name} is not a plain file")
        if status.st_size > limit:
            raise BundleError(f"{path.name} has {status.st_size:,} bytes where {limit:,} are allowed")
        return file.read(limit)


def _open_without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def write_through(path: Path, content: bytes) -> None:
    with open(path, "xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def replace_through(path: Path, content: bytes) -> None:
    """Replace a file in one step; a process that is killed leaves the old one, and a part of the new one beside it."""
    incoming = path.with_suffix(".incoming")
    incoming.unlink(missing_ok=True)  # of one that was killed
    try:
        write_through(incoming, content)
        incoming.replace(path)
    except OSError:
        incoming.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
