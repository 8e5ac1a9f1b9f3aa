"""What the repository holds, and how it differs from what is known of it."""

import errno
import logging
from collections.abc import Collection
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from models.errors import BundleError
from models.repository import Bundle, Repository
from service.entries import Key
from service.loader import Loader

_NO_BUNDLE = "the repository holds no bundle"
_MOST_FILES = 100  # that are looked at; no bundle has so many
_GONE = "the repository is not there"
_UNREADABLE = "the repository cannot be read"
# What a disk or this process cannot do now and may be able to do at the next look.
_PASSING = {errno.EIO, errno.ESTALE, errno.ETIMEDOUT, errno.EMFILE, errno.ENFILE, errno.ENOMEM}

_log = logging.getLogger("reparam")


class Changes(NamedTuple):
    """What is to be loaded, and what is no longer there."""

    added: list[Key]
    removed: list[Key]


class Inventory:
    """Its methods read the disk, and are meant to run in a thread."""

    def __init__(self, root: Path, loader: Loader | None = None) -> None:
        self._repository = Repository(root)
        self._loader = loader
        self._stamps: dict[Key, object] = {}  # of what was read since, or is refused
        self.trouble = ""  # why there may be more than is found

    def compare(self, known: Collection[Key], refused: Collection[Key]) -> Changes:
        """Added are bundles that are new, or were refused and have changed.

        Removed are those whose model still has its folder. Where that is gone too, or the repository cannot be read,
        a disk has failed more often than a model was withdrawn, and what is loaded serves on.
        """
        try:
            found = list(self._repository.list())
        except OSError as error:
            self._note(_UNREADABLE, f"{_UNREADABLE}: {error}")
            return Changes([], [])
        self._note("" if self._repository.root.is_dir() else _GONE)
        self._stamps = {key: stamp for key, stamp in self._stamps.items() if key in refused}
        added = [key for key in found if key not in known or (key in refused and self._has_changed(key))]
        removed = [key for key in set(known) - set(found) if self._folder(key).parent.is_dir()]
        return Changes(added, removed)

    def read(self, key: Key) -> Bundle:
        """The bundle, checked, and tried by the loader first, where there is one.

        BundleNotFound, BundleError or OSError if it is not what was published or cannot be loaded.
        """
        self._stamps[key] = _stamp(self._folder(key))
        try:
            tried = self._loader.check(*key) if self._loader else None
            bundle = self._repository.read(*key)
        except (BundleError, OSError) as error:
            if any(isinstance(cause, OSError) and cause.errno in _PASSING for cause in (error, error.__cause__)):
                del self._stamps[key]  # so that the next look tries again
            raise
        if tried not in (None, bundle.digest):
            raise BundleError("its files were changed while it was being checked")
        return bundle

    def rest(self) -> None:
        """All has been read that there is."""
        if self._loader:
            self._loader.rest()

    def close(self) -> None:
        if self._loader:
            self._loader.close()

    @property
    def emptiness(self) -> str:
        """Why nothing is found, if nothing is."""
        return self.trouble or _NO_BUNDLE

    def _note(self, trouble: str, detail: str = "") -> None:
        """Logged when it begins and when it ends, not at every look."""
        if trouble != self.trouble:
            _log.log(logging.ERROR if trouble else logging.INFO, "%s", detail or trouble or "the repository is back")
        self.trouble = trouble

    def _has_changed(self, key: Key) -> bool:
        return self._stamps.get(key) != _stamp(self._folder(key))

    def _folder(self, key: Key) -> Path:
        return self._repository.root.joinpath(*key)


def _stamp(folder: Path) -> object:
    """Differs when a file of the folder does, or who may read it."""
    try:
        stats = {file.name: file.stat() for file in islice(folder.iterdir(), _MOST_FILES)}
    except OSError:
        return None
    return {name: (stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size) for name, stat in stats.items()}
