"""Where a bundle is written before it is published, and what is left there by processes that were killed."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

INCOMING, OUTGOING = ".incoming-", ".outgoing-"


@contextmanager
def workplace(root: Path) -> Iterator[Path]:
    """A new folder in `root`, which is gone afterwards if it was not renamed; leftovers of others are cleared first."""
    with ExitStack() as holding:
        with held(root):  # so that nobody takes the new folder for a leftover before it is held
            _clear(root)
            folder = Path(tempfile.mkdtemp(prefix=INCOMING, dir=root))
            holding.callback(shutil.rmtree, folder, ignore_errors=True)
            holding.enter_context(held(folder))
        yield folder


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """For as long as this process is at work on it and alive, the folder is no leftover, whatever it is renamed to."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # a file system without locks: nothing there is ever taken for a leftover
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clear(root: Path) -> None:
    for folder in root.glob(f"{INCOMING}*"):
        if not _is_held(folder):
            shutil.rmtree(folder, ignore_errors=True)
    for folder in root.glob(f"{OUTGOING}*"):
        if not _is_held(folder):
            _put_back(folder)


def _is_held(folder: Path) -> bool:
    """Or gone meanwhile."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _put_back(folder: Path) -> None:
    """A bundle that was taken away to make room for another of its version, if that never came; else it goes."""
    name, _, version = folder.name.removeprefix(OUTGOING).rpartition("-")
    place = folder.parent / name / version
    if place.exists():
        shutil.rmtree(folder, ignore_errors=True)
    else:
        folder.rename(place)
