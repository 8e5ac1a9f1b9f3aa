"""What a published bundle says of itself is replaced whole, or not at all; what it computes never is."""

import os
from pathlib import Path

import pytest

from models.errors import AlreadyPublished, BundleError, BundleNotFound
from models.repository import Repository, read_bundle
from tests import tiny_bundle


@pytest.fixture
def folder(tmp_path):
    return tiny_bundle.publish(tmp_path, operations=("decode",))


def retitled(folder, card=b"# another card\n", **files):
    """A published bundle's manifest with another figure, and its files with another card."""
    bundle = read_bundle(folder)
    better = bundle.manifest.provenance.figures["elbo"].model_copy(update={"value": -2.5})
    provenance = bundle.manifest.provenance.model_copy(update={"figures": {"elbo": better}})
    changed = {name.replace("_", "."): content for name, content in files.items()}
    return bundle.manifest.model_copy(update={"provenance": provenance}), {**bundle.files, "card.md": card, **changed}


def test_amending_replaces_the_card_and_the_figures_and_nothing_else(folder):
    before, root = read_bundle(folder), folder.parents[1]
    assert Repository(root).amend(*retitled(folder, preview_png=b"a picture")) == folder
    after = Repository(root).read("tiny", 1)
    assert after.manifest.provenance.figures["elbo"].value == -2.5
    assert after.files == {**before.files, "card.md": b"# another card\n", "preview.png": b"a picture"}
    assert after.manifest.operations == before.manifest.operations
    assert [file.name for file in root.iterdir()] == ["tiny"]
    assert [file.name for file in folder.parent.iterdir()] == ["1"]


def test_amended_bundle_may_lose_a_file_for_people(folder):
    manifest, files = retitled(folder)
    Repository(folder.parents[1]).amend(manifest, {name: files[name] for name in files if name != "card.md"})
    assert not (folder / "card.md").exists()
    assert read_bundle(folder)


@pytest.mark.parametrize("name", ["decode.onnx", "golden.safetensors"])
@pytest.mark.parametrize("content", [b"other numbers", None])
def test_graphs_and_golden_numbers_are_never_amended(folder, name, content):
    before = read_bundle(folder)
    manifest, files = retitled(folder)
    others = {key: kept for key, kept in files.items() if key != name} | ({} if content is None else {name: content})
    with pytest.raises(AlreadyPublished, match=f"tiny/1 has another {name}; publish a new version"):
        Repository(folder.parents[1]).amend(manifest, others)
    assert read_bundle(folder) == before


def test_graph_is_not_added_by_amending(folder):
    manifest, files = retitled(folder)
    sample = manifest.operations["decode"].model_copy(update={"graph": "sample.onnx"})
    operations = {"decode": manifest.operations["decode"], "complete": sample}
    wider = manifest.model_copy(update={"operations": operations})
    with pytest.raises(AlreadyPublished, match=r"tiny/1 has another sample\.onnx"):
        Repository(folder.parents[1]).amend(wider, files | {"sample.onnx": files["decode.onnx"]})


@pytest.mark.parametrize("change", [{"version": 2}, {"name": "huge"}])
def test_what_is_not_published_is_not_amended(folder, change):
    manifest, files = retitled(folder)
    with pytest.raises(BundleNotFound, match="holds no "):
        Repository(folder.parents[1]).amend(manifest.model_copy(update=change), files)
    assert [path.name for path in folder.parents[1].iterdir()] == ["tiny"]


def test_spoiled_bundle_is_not_amended(folder):
    manifest, files = retitled(folder)
    (folder / "decode.onnx").write_bytes(b"spoiled")
    with pytest.raises(BundleError, match=r"decode\.onnx"):
        Repository(folder.parents[1]).amend(manifest, files)


@pytest.mark.parametrize("synced_before", range(5))
def test_bundle_is_as_it_was_when_amending_fails_midway(folder, monkeypatch, synced_before):
    before, (manifest, files), left = read_bundle(folder), retitled(folder), iter(range(synced_before))

    def fill_the_disk(descriptor):
        if next(left, None) is None:
            raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", fill_the_disk)
    with pytest.raises(OSError, match="no space left"):
        Repository(folder.parents[1]).amend(manifest, files)
    assert [path.name for path in folder.parents[1].iterdir()] == ["tiny"]
    assert read_bundle(folder) == before


def test_bundle_is_as_it_was_when_the_new_one_cannot_take_its_place(folder, monkeypatch):
    before, (manifest, files), rename = read_bundle(folder), retitled(folder), Path.rename

    def refuse(path, target):
        if path.name.startswith(".incoming-"):
            raise PermissionError(13, "Permission denied", str(path))
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(PermissionError):
        Repository(folder.parents[1]).amend(manifest, files)
    assert read_bundle(folder) == before
