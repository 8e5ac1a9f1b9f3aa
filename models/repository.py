"""Bundles on disk: list, read with every digest checked, publish whole."""

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from models.errors import AlreadyPublished, BundleError, BundleNotFound
from models.files import read_plain, sync_folder, write_through
from models.leftovers import OUTGOING, held, workplace
from models.manifest import File, Manifest
from models.sizes import MOST_FILES

SHIPPED = Path(__file__).parent / "bundles"
MANIFEST = "manifest.json"
SEAL = "manifest.sha256"  # the line that `sha256sum -c` reads: it holds the manifest, as the manifest holds the rest

_MANIFEST_BYTES = 2**20
_SEAL_BYTES = 128


class Bundle(NamedTuple):
    """A bundle that is whole; `files` are the very bytes that were hashed, `digest` names all of them at once."""

    manifest: Manifest
    digest: str
    files: Mapping[str, bytes]


class Repository:
    """A folder of bundles: `root/name/version/`. What starts with a dot is not listed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def list(self) -> Iterator[tuple[str, str]]:
        """(name, version) of every folder that could be a bundle, also of broken ones; versions in ascending order."""
        for model in _folders(self.root):
            for version in _versions(model):
                yield model.name, version.name

    def versions(self, name: str) -> tuple[int, ...]:
        """The published versions of a name, ascending."""
        return tuple(int(version) for model, version in self.list() if model == name and _is_version(version))

    def read(self, name: str, version: str | int) -> Bundle:
        """The bundle, checked. BundleNotFound if there is none, BundleError if it is not what was published."""
        folder = self.root / name / str(version)
        if (name, str(version)) not in self.list():
            raise BundleNotFound(f"{self.root} holds no {name}/{version}")
        bundle = read_bundle(folder)
        if (bundle.manifest.name, str(bundle.manifest.version)) != (name, str(version)):
            raise BundleError(
                f"the manifest says {bundle.manifest.name}/{bundle.manifest.version}, the folder {name}/{version}"
            )
        return bundle

    def publish(self, manifest: Manifest, files: Mapping[str, bytes]) -> Path:
        """Write a bundle beside the others and rename it into place, so that it appears whole or not at all.

        What a process that was killed meanwhile left beside the others is removed first.

        `manifest.digests` is filled in here. The same version with the same bytes is left as it is; with other bytes
        AlreadyPublished is raised.
        """
        folder = self.root / manifest.name / str(manifest.version)
        with self._written(manifest, files) as incoming:
            if not folder.parent.exists():
                folder.parent.mkdir(exist_ok=True)
                sync_folder(self.root)
            try:
                incoming.rename(folder)
            except OSError as error:
                if not folder.exists():
                    raise
                if read_bundle(folder).digest != read_bundle(incoming).digest:
                    raise AlreadyPublished(
                        f"{manifest.name}/{manifest.version} is published with other bytes; publish a new version"
                    ) from error
            sync_folder(folder.parent)
        return folder

    def amend(self, manifest: Manifest, files: Mapping[str, bytes]) -> Path:
        """Replace what a published bundle says of itself: its card, pictures and figures.

        AlreadyPublished if the graphs or the golden numbers are others: those are the version. For a moment there is no
        bundle; where a process is killed in that moment, the next that publishes puts the old one back.
        """
        published = self.read(manifest.name, manifest.version)
        computed = {name for of in (published.manifest, manifest) for name in (*of.graphs, of.golden.file)}
        for name in computed:
            if published.files.get(name) != files.get(name):
                raise AlreadyPublished(f"{manifest.name}/{manifest.version} has another {name}; publish a new version")
        folder = self.root / manifest.name / str(manifest.version)
        with self._written(manifest, files) as incoming, held(folder):
            outgoing = incoming.with_name(f"{OUTGOING}{manifest.name}-{manifest.version}")
            folder.rename(outgoing)
            try:
                incoming.rename(folder)
            except OSError:
                outgoing.rename(folder)
                raise
            shutil.rmtree(outgoing)
            sync_folder(folder.parent)
        return folder

    @contextmanager
    def _written(self, manifest: Manifest, files: Mapping[str, bytes]) -> Iterator[Path]:
        """A folder with the whole bundle that waits to be renamed; it is gone afterwards if it was not."""
        manifest = Manifest.model_validate(manifest.model_dump() | {"digests": digests(files)})
        written = manifest.model_dump_json(indent=1, exclude_none=True).encode() + b"\n"
        self.root.mkdir(parents=True, exist_ok=True)
        with workplace(self.root) as incoming:
            for name, content in {**files, MANIFEST: written, SEAL: _seal(written)}.items():
                write_through(incoming / name, content)
            incoming.chmod(0o755)
            sync_folder(incoming)
            yield incoming


def read_bundle(folder: Path) -> Bundle:
    """Read one folder; each file is read once, hashed, and kept. BundleError says which file is wrong."""
    written = read_plain(folder / MANIFEST, _MANIFEST_BYTES)
    if read_plain(folder / SEAL, _SEAL_BYTES) != _seal(written):
        raise BundleError(f"{MANIFEST} is not what {SEAL} says: one of them was changed")
    manifest = parse_manifest(written)
    _check_listing(folder, set(manifest.digests))
    files = {name: _read_checked(folder / name, file) for name, file in manifest.digests.items()}
    return Bundle(manifest, _digest(written), files)


def parse_manifest(written: bytes) -> Manifest:
    """BundleError with the first place that is wrong."""
    try:
        return Manifest.model_validate_json(written)
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(map(str, first["loc"])) or "as a whole"
        raise BundleError(f"{MANIFEST}, {place}: {first['msg']}") from error


def digests(files: Mapping[str, bytes]) -> dict[str, File]:
    return {name: File(sha256=_digest(content), bytes=len(content)) for name, content in sorted(files.items())}


def _digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def _seal(manifest: bytes) -> bytes:
    return f"{_digest(manifest)}  {MANIFEST}\n".encode()


def _check_listing(folder: Path, named: set[str]) -> None:
    with os.scandir(folder) as entries:
        found = {entry.name for entry in islice(entries, MOST_FILES + 3)} - {MANIFEST, SEAL}
    if len(found) > MOST_FILES:
        raise BundleError(f"the folder holds more than {MOST_FILES} files beside {MANIFEST}")
    for name in sorted(found ^ named):
        raise BundleError(f"{name} is {'missing' if name in named else 'not named by the manifest'}")


def _read_checked(path: Path, file: File) -> bytes:
    content = read_plain(path, file.bytes)
    if len(content) != file.bytes or _digest(content) != file.sha256:
        raise BundleError(f"{path.name} is not the file that was published: its digest differs")
    return content


def _versions(model: Path) -> list[Path]:
    """In ascending order; none where the folder cannot be read, so that it hides no other model."""
    try:
        return sorted(_folders(model), key=_by_number)
    except OSError:
        return []


def _folders(parent: Path) -> list[Path]:
    if not parent.is_dir():
        return []
    return sorted(entry for entry in parent.iterdir() if entry.is_dir() and not entry.name.startswith("."))


def _is_version(name: str) -> bool:
    return re.fullmatch(r"[1-9][0-9]{0,8}", name) is not None


def _by_number(folder: Path) -> tuple[bool, int, str]:
    number = _is_version(folder.name)
    return (number, int(folder.name) if number else 0, folder.name)
