"""A bundle is read whole and unchanged, or refused; it is published whole, or not at all."""

import json
import os
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from models import repository
from models.errors import AlreadyPublished, BundleError, BundleNotFound
from models.repository import MANIFEST, SEAL, Repository, read_bundle
from tests import tiny_bundle

SMALL = ("decode",)  # one graph is enough for what happens to files
MASKS = (0x01, 0x80, 0xFF) if os.environ.get("REPARAM_EVERY_MASK") else (0x01,)


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return tiny_bundle.publish(tmp_path_factory.mktemp("published"), operations=SMALL)


@pytest.fixture
def folder(published, tmp_path):
    """A copy that a test may spoil."""
    return shutil.copytree(published, tmp_path / "tiny" / "1")


def test_bundle_comes_back_with_the_bytes_on_disk(published):
    bundle = Repository(published.parent.parent).read("tiny", 1)
    assert {*bundle.files, MANIFEST, SEAL} == {file.name for file in published.iterdir()}
    assert all((published / name).read_bytes() == content for name, content in bundle.files.items())
    assert bundle.digest == sha256((published / MANIFEST).read_bytes()).hexdigest()
    assert bundle.manifest.digests["card.md"].bytes == len(bundle.files["card.md"])


def test_seal_is_what_sha256sum_reads(published):
    digest = sha256((published / MANIFEST).read_bytes()).hexdigest()
    assert (published / SEAL).read_text() == f"{digest}  {MANIFEST}\n"


def test_versions_are_in_the_order_of_numbers(tmp_path):
    for version in (10, 2, 1):
        tiny_bundle.publish(tmp_path, version=version, operations=SMALL)
    for other in ("draft", "007", ".incoming-x"):
        (tmp_path / "tiny" / other).mkdir()
    assert Repository(tmp_path).versions("tiny") == (1, 2, 10)


def test_broken_folders_are_listed_and_hidden_ones_are_not(tmp_path):
    for name in ("b/1", "b/draft", "a/1", ".incoming-1/1", "a/.2"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "README").touch()
    (tmp_path / "a" / "notes").touch()
    assert sorted(Repository(tmp_path).list()) == [("a", "1"), ("b", "1"), ("b", "draft")]


def test_missing_root_holds_nothing(tmp_path):
    assert list(Repository(tmp_path / "nowhere").list()) == []


def test_folder_that_cannot_be_read_hides_no_other_model(folder, monkeypatch):
    closed = folder.parents[1] / "closed"
    (closed / "1").mkdir(parents=True)
    iterate = Path.iterdir

    def refuse(path):
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return iterate(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    repository = Repository(closed.parent)
    assert list(repository.list()) == [("tiny", "1")]
    assert repository.read("tiny", 1).manifest.name == "tiny"


@pytest.mark.parametrize("asked", [("tiny", 2), ("huge", 1), ("../tiny", 1), ("tiny", "01"), ("tiny", "../tiny/1")])
def test_what_is_not_held_is_not_found(folder, asked):
    with pytest.raises(BundleNotFound, match="holds no "):
        Repository(folder.parent.parent).read(*asked)


@pytest.mark.parametrize("place", ["tiny/2", "other/1"])
def test_bundle_in_a_folder_of_another_name_is_refused(folder, place):
    root = folder.parent.parent
    shutil.copytree(folder, root / place)
    with pytest.raises(BundleError, match=f"the manifest says tiny/1, the folder {place}"):
        Repository(root).read(*place.split("/"))


def test_same_bytes_again_change_nothing(folder):
    before = {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.iterdir()}
    assert tiny_bundle.publish(folder.parent.parent, operations=SMALL) == folder
    assert {file: (file.stat().st_ino, file.stat().st_mtime_ns) for file in folder.iterdir()} == before


def test_published_version_never_changes(folder):
    before = read_bundle(folder).digest
    with pytest.raises(AlreadyPublished, match="tiny/1 is published with other bytes; publish a new version"):
        tiny_bundle.publish(folder.parent.parent, operations=SMALL, bias=1)
    assert read_bundle(folder).digest == before
    assert tiny_bundle.publish(folder.parent.parent, version=2, operations=SMALL, bias=1).name == "2"


@pytest.mark.parametrize("synced_before", range(5))
def test_nothing_is_left_behind_when_publishing_fails_midway(tmp_path, monkeypatch, synced_before):
    left = iter(range(synced_before))

    def fill_the_disk(descriptor):
        if next(left, None) is None:
            raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fill_the_disk)
    with pytest.raises(OSError, match="no space left"):
        tiny_bundle.publish(tmp_path, operations=SMALL)
    assert list(tmp_path.rglob("*")) == []


FILES = pytest.mark.parametrize("name", [MANIFEST, SEAL, "decode.onnx", "golden.safetensors", "card.md"])


@FILES
@pytest.mark.parametrize("mask", MASKS)
def test_every_flipped_byte_is_refused(folder, name, mask):
    path = folder / name
    whole = path.read_bytes()
    for position in range(len(whole)):
        flipped = bytearray(whole)
        flipped[position] ^= mask
        path.write_bytes(flipped)
        with pytest.raises(BundleError, match=name.replace(".", r"\.")):
            read_bundle(folder)
    path.write_bytes(whole)
    assert read_bundle(folder)


@FILES
def test_every_truncation_is_refused(folder, name):
    path = folder / name
    for size in reversed(range(path.stat().st_size)):
        os.truncate(path, size)
        with pytest.raises(BundleError, match=name.replace(".", r"\.")):
            read_bundle(folder)


def move_and_link(path):
    elsewhere = path.rename(path.parent.parent / path.name)
    path.symlink_to(elsewhere)


SPOILED = {
    "longer": lambda path: path.write_bytes(path.read_bytes() + b"\0"),
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "empty": lambda path: path.write_bytes(b""),
    "missing": lambda path: path.unlink(),
    "renamed": lambda path: path.rename(path.with_name("renamed")),
    "a link": move_and_link,
    "a pipe": lambda path: (path.unlink(), os.mkfifo(path)),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("name", [MANIFEST, SEAL, "decode.onnx", "card.md"])
@pytest.mark.parametrize("spoiled", SPOILED)
def test_spoiled_file_is_refused_by_its_name(folder, name, spoiled):
    SPOILED[spoiled](folder / name)
    with pytest.raises(BundleError, match=name.replace(".", r"\.")):
        read_bundle(folder)


@pytest.mark.parametrize("name", ["notes.md", ".hidden", "encode.onnx"])
def test_file_that_the_manifest_does_not_name_is_refused(folder, name):
    (folder / name).write_bytes(b"")
    with pytest.raises(BundleError, match=f"{name} is not named by the manifest"):
        read_bundle(folder)


def reseal(folder, change):
    """The manifest as `change` gives it, with a seal that agrees."""
    written = json.dumps(change(json.loads((folder / MANIFEST).read_text()))).encode()
    (folder / MANIFEST).write_bytes(written)
    (folder / SEAL).write_text(f"{sha256(written).hexdigest()}  {MANIFEST}\n")


def test_padding_is_refused_before_it_is_read(folder):
    """2 GiB, of which the disk holds none."""
    os.truncate(folder / "decode.onnx", 2**31)
    with pytest.raises(BundleError, match=r"decode\.onnx has 2,147,483,648 bytes where [0-9,]+ are allowed"):
        read_bundle(folder)


def test_padding_that_the_manifest_admits_is_refused_before_it_is_read(folder):
    os.truncate(folder / "card.md", 2**31)
    padded = {"card.md": {"sha256": "0" * 64, "bytes": 2**31}}
    reseal(folder, lambda manifest: manifest | {"digests": manifest["digests"] | padded})
    with pytest.raises(BundleError, match=r"the files have 2,147,[0-9,]+ bytes together; 1,073,741,824 are allowed"):
        read_bundle(folder)


def test_hard_link_is_the_file_that_it_names(folder):
    """Installers link files; what counts is that the bytes are those that were published."""
    (folder.parent / "other").hardlink_to(folder / "card.md")
    assert read_bundle(folder)
    (folder / "card.md").unlink()
    (folder.parent / "secret").write_bytes(b"secret")
    (folder / "card.md").hardlink_to(folder.parent / "secret")
    with pytest.raises(BundleError, match=r"card\.md is not the file that was published"):
        read_bundle(folder)


def test_folder_with_very_many_files_is_not_listed_to_the_end(folder):
    for number in range(100):
        (folder / f"more{number}.md").touch()
    with pytest.raises(BundleError, match=r"the folder holds more than 64 files beside manifest\.json"):
        read_bundle(folder)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (lambda manifest: manifest | {"surprise": 1}, "manifest.json, surprise: Extra inputs are not permitted"),
        (
            lambda manifest: manifest | {"order": [1]},
            "manifest.json, as a whole: Value error, order is not a permutation",
        ),
        (lambda manifest: [], "manifest.json, as a whole: "),
    ],
)
def test_sealed_nonsense_is_refused_with_its_place(folder, content, complaint):
    reseal(folder, content)
    with pytest.raises(BundleError, match=complaint):
        read_bundle(folder)


def test_shipped_bundles_are_whole():
    shipped = Repository(repository.SHIPPED)
    for name, version in shipped.list():
        assert shipped.read(name, version).manifest.name == name
