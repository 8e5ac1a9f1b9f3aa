"""What the repository holds, and how it differs from what is known of it."""

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
_UNREADABLE = "the repository cannot be read"

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
        self._stamps: dict[Key, object] = {}
        self.emptiness = _NO_BUNDLE  # why nothing is found, if nothing is

    def compare(self, known: Collection[Key], refused: Collection[Key]) -> Changes:
        """Added are bundles that are new, or were refused and have changed.

        Removed are those whose model still has its folder. Where that is gone too, or the repository cannot be read,
        a disk has failed more often than a model was withdrawn, and what is loaded serves on.
        """
        try:
            found = list(self._repository.list())
        except OSError as error:
            if self.emptiness != _UNREADABLE:  # logged once, not at every look
                _log.error("the repository cannot be read: %s", error)
            self.emptiness = _UNREADABLE
            return Changes([], [])
        self.emptiness = _NO_BUNDLE
        added = [key for key in found if key not in known or (key in refused and self._has_changed(key))]
        removed = [key for key in set(known) - set(found) if self._folder(key).parent.is_dir()]
        return Changes(added, removed)

    def read(self, key: Key) -> Bundle:
        """The bundle, checked, and tried by the loader first, where there is one.

        BundleNotFound, BundleError or OSError if it is not what was published or cannot be loaded.
        """
        self._stamps[key] = _stamp(self._folder(key))
        tried = self._loader.check(*key) if self._loader else None
        bundle = self._repository.read(*key)
        if tried not in (None, bundle.digest):
            raise BundleError("its files were changed while it was being checked")
        return bundle

    def close(self) -> None:
        if self._loader:
            self._loader.close()

    def _has_changed(self, key: Key) -> bool:
        return self._stamps.get(key) != _stamp(self._folder(key))

    def _folder(self, key: Key) -> Path:
        return self._repository.root.joinpath(*key)


def _stamp(folder: Path) -> object:
    """Differs when a file of the folder does."""
    try:
        files = islice(folder.iterdir(), _MOST_FILES)
        return {file.name: (file.stat().st_mtime_ns, file.stat().st_size) for file in files}
    except OSError:
        return None
