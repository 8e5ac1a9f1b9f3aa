"""reparam-verify says what holds and what does not, as the service would."""

import sys

import pytest

from service import verify
from tests import tiny_bundle
from tests.service import spoiling

FILES = ("manifest.json", "manifest.sha256", "golden.safetensors", "card.md", "decode.onnx", "encode.onnx")


@pytest.fixture
def folder(tmp_path):
    return tiny_bundle.publish(tmp_path / "bundles", operations=["encode", "decode"])


@pytest.fixture
def run(monkeypatch, capsys):
    """run(folder, ...): the exit status, and the lines that were printed."""

    def call(*folders):
        monkeypatch.setattr(sys, "argv", ["reparam-verify", "--device", "cpu", *map(str, folders)])
        status = verify.main()
        return status, capsys.readouterr().out.splitlines()

    return call


def test_whole_bundle_holds_check_by_check(run, folder):
    status, lines = run(folder)
    assert status == 0
    assert lines == [
        str(folder),
        "  holds digests of 4 files",
        "  holds place",
        "  holds contents of encode.onnx",
        "  holds numbers of encode",
        "  holds contents of decode.onnx",
        "  holds numbers of decode",
        "1 of 1 bundles hold",
    ]


@pytest.mark.parametrize("name", FILES)
def test_flipped_byte_in_any_file_is_refused(run, folder, name):
    spoiling.flip(folder / name)
    status, lines = run(folder)
    assert status == 1
    assert lines[1].startswith("  FAILS digests: ")
    assert lines[2:] == ["0 of 1 bundles hold"]


def test_numbers_that_differ_are_refused_by_operation(run, folder):
    spoiling.with_golden(folder, lambda name, rows: name == "decode" and spoiling.other_numbers(name, rows))
    status, lines = run(folder)
    assert status == 1
    assert "  holds numbers of encode" in lines
    assert any(line.startswith("  FAILS numbers of decode: decode: ") for line in lines)


def test_graph_that_draws_noise_is_refused_and_the_others_are_checked_on(run, folder):
    def add_noise(model):
        model.graph.node.add(op_type="RandomNormal", output=["r"])

    spoiling.with_graph(folder, "encode.onnx", add_noise)
    status, lines = run(folder)
    assert status == 1
    assert "  FAILS encode.onnx: encode.onnx: RandomNormal draws noise of its own; noise has to be an input" in lines
    assert "  holds numbers of decode" in lines


def test_golden_rows_that_do_not_run_are_refused(run, folder):
    spoiling.with_golden(folder, lambda name, rows: rows.inputs.clear())
    status, lines = run(folder)
    assert status == 1
    assert "  FAILS numbers of decode: decode: the graph does not run on the golden rows" in lines


def test_bundle_in_the_place_of_another_is_refused(run, folder):
    moved = folder.rename(folder.parent / "2")
    status, lines = run(moved)
    assert status == 1
    assert "  FAILS place: the manifest says tiny/1, the folder tiny/2" in lines


@pytest.mark.parametrize("depth", [1, 2])
def test_folder_of_bundles_is_checked_bundle_by_bundle(run, folder, depth):
    tiny_bundle.publish(folder.parent.parent, version=2, operations=["decode"])
    spoiling.flip(folder / "card.md")
    status, lines = run(folder.parents[depth - 1])
    assert status == 1
    assert lines[-1] == "1 of 2 bundles hold"


def test_bundle_without_a_manifest_is_not_overlooked(run, folder):
    tiny_bundle.publish(folder.parent.parent, version=2, operations=["decode"])
    (folder / "manifest.json").unlink()
    status, lines = run(folder.parent.parent)
    assert status == 1
    assert lines[-1] == "1 of 2 bundles hold"


@pytest.mark.parametrize("name", ["", "nowhere"])
def test_folder_without_bundles_is_refused(run, tmp_path, name):
    status, lines = run(tmp_path / name)
    assert status == 1
    assert lines[1].startswith("  FAILS digests: manifest.json cannot be read")


def test_missing_device_is_refused_in_a_sentence(monkeypatch, capsys, folder):
    monkeypatch.setattr("service.graph._lacks_cuda", lambda: "this machine has no NVIDIA driver")
    monkeypatch.setattr(sys, "argv", ["reparam-verify", "--device", "cuda", str(folder)])
    assert verify.main() == 1
    assert "device cuda: this machine has no NVIDIA driver; use auto or cpu" in capsys.readouterr().err
