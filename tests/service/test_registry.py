"""Bad bundles are listed with their reason while the others serve."""

import asyncio
import shutil

import pytest

from models.repository import Repository
from service import assembly, registry
from service.metrics import Metrics
from service.registry import Registry
from service.settings import Settings
from tests import tiny_bundle
from tests.service import spoiling
from tests.service.conftest import serving

SMALL = ("decode",)


def entries(root, **settings):
    """(state, reason) by name and version, once everything has been tried."""
    tried = Registry(Settings(repository=root, device="cpu", loader=False, **settings), Metrics())
    asyncio.run(tried.look())
    tried.close()
    return {(entry.name, entry.version): (entry.state, entry.reason) for entry in tried.entries()}


@pytest.fixture
def root(tmp_path):
    """A good bundle, and one to be spoiled."""
    tiny_bundle.publish(tmp_path, "good", operations=SMALL)
    tiny_bundle.publish(tmp_path, "bad", operations=SMALL)
    return tmp_path


def _flip(name):
    return lambda folder: spoiling.flip(folder / name)


SPOILED = {
    "flipped graph": (_flip("decode.onnx"), "decode.onnx is not the file that was published"),
    "flipped golden": (_flip("golden.safetensors"), "golden.safetensors is not the file that was published"),
    "flipped card": (_flip("card.md"), "card.md is not the file that was published"),
    "flipped manifest": (_flip("manifest.json"), "manifest.json is not what manifest.sha256 says"),
    "flipped seal": (_flip("manifest.sha256"), "manifest.json is not what manifest.sha256 says"),
    "missing manifest": (lambda folder: (folder / "manifest.json").unlink(), "manifest.json cannot be read"),
    "missing file": (lambda folder: (folder / "card.md").unlink(), "card.md is missing"),
    "extra file": (lambda folder: (folder / "more.onnx").touch(), "more.onnx is not named by the manifest"),
    "other numbers": (
        lambda folder: spoiling.with_golden(folder, spoiling.other_numbers),
        "is not what was computed when the bundle was made",
    ),
    "golden inputs lacking": (
        lambda folder: spoiling.with_golden(folder, lambda name, rows: rows.inputs.popitem()),
        "decode: the graph does not run on the golden rows",
    ),
    "golden of brain floats": (
        lambda folder: spoiling.replace(
            folder, files={"golden.safetensors": spoiling.brain_floats("decode/outputs/x")}
        ),
        "the golden file is not safetensors of plain numbers",
    ),
    "no shape of x": (
        lambda folder: spoiling.reseal(folder, lambda manifest: manifest["shapes"].pop("x")),
        "no shape is given for x",
    ),
    "no graph": (lambda folder: spoiling.replace(folder, files={"decode.onnx": b"graph"}), "is not an ONNX file"),
    "broken graph": (
        lambda folder: spoiling.with_graph(folder, "decode.onnx", lambda model: model.graph.node.pop()),
        "ONNX Runtime refuses the graph",
    ),
    "another name": (lambda folder: folder.rename(folder.parent / "2"), "the manifest says bad/1, the folder bad/2"),
}


@pytest.mark.parametrize("spoiled", SPOILED)
async def test_bad_bundle_is_listed_with_its_reason_while_others_serve(root, spoiled):
    spoil, complaint = SPOILED[spoiled]
    spoil(root / "bad" / "1")
    await _only_the_good_one_serves(root, complaint)


@pytest.mark.parametrize("error", [ZeroDivisionError, KeyError, RecursionError, MemoryError])
async def test_bundle_that_breaks_the_loading_takes_no_other_with_it(root, monkeypatch, error, caplog):
    assemble = registry.assemble

    def break_down(bundle, *rest):
        if bundle.manifest.name == "bad":
            raise error(f"a bug, met in {root}")
        return assemble(bundle, *rest)

    monkeypatch.setattr(registry, "assemble", break_down)
    await _only_the_good_one_serves(root, "it could not be loaded; the service's log says why")
    assert f"{error.__name__}: " in caplog.text


async def _only_the_good_one_serves(root, complaint):
    async with serving(root) as service:
        listed = {model["name"]: model for model in (await service.client.get("/v2/models")).json()["models"]}
        assert listed["bad"]["state"] == "UNAVAILABLE"
        assert complaint in listed["bad"]["reason"]
        assert str(root) not in listed["bad"]["reason"]
        refused = await service.post("decode", "bad", z=[[0, 0]])
        assert refused.status_code == 404
        assert complaint in refused.json()["detail"]
        assert (listed["good"]["state"], listed["good"]["reason"]) == ("READY", "")
        assert (await service.ask("decode", "good", z=[[0, 0]]))["model"] == "good"
        assert (await service.client.get("/readyz")).status_code == 200


@pytest.mark.parametrize("spoiled", [None, 2, 10])
async def test_url_without_version_means_the_newest_that_loads(tmp_path, spoiled):
    for version in (2, 9, 10):
        tiny_bundle.publish(tmp_path, version=version, operations=SMALL)
    if spoiled:
        spoiling.flip(tmp_path / "tiny" / str(spoiled) / "decode.onnx")
    serving_versions = [version for version in (2, 9, 10) if version != spoiled]
    async with serving(tmp_path, versions=3) as service:
        assert (await service.ask("decode", z=[[0, 0]]))["version"] == serving_versions[-1]
        metadata = (await service.client.get("/v2/models/tiny")).json()
        assert metadata["versions"] == [str(version) for version in serving_versions]
        for version in (2, 9, 10):
            pinned = await service.post("decode", f"tiny/versions/{version}", z=[[0, 0]])
            assert pinned.status_code == (404 if version == spoiled else 200)
            assert version == spoiled or pinned.json()["version"] == version


async def test_running_service_finds_a_new_version_and_keeps_the_old(tmp_path):
    tiny_bundle.publish(tmp_path, operations=SMALL)
    async with serving(tmp_path, watch_seconds=0.01) as service, asyncio.timeout(30):
        assert (await service.ask("decode", z=[[0, 0]]))["version"] == 1
        tiny_bundle.publish(tmp_path, version=2, operations=SMALL, bias=1)
        while (await service.ask("decode", z=[[0, 0]]))["version"] == 1:
            await asyncio.sleep(0.01)
        assert (await service.ask("decode", "tiny/versions/1", z=[[0, 0]]))["version"] == 1


def test_repository_that_can_be_read_again_is_said_to_be_empty(tmp_path, monkeypatch, caplog):
    registry = Registry(Settings(repository=tmp_path, device="cpu", loader=False), Metrics())

    def look():
        asyncio.run(registry.look())

    def refuse(_):
        raise PermissionError("not now")

    with monkeypatch.context() as patched:
        patched.setattr(Repository, "list", refuse)
        look()
        look()
        assert registry.reasons() == ["the repository cannot be read"]
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
    look()
    assert registry.reasons() == ["the repository holds no bundle"]


def test_looking_again_reads_nothing_twice(tmp_path, monkeypatch):
    tiny_bundle.publish(tmp_path, operations=SMALL)
    registry = Registry(Settings(repository=tmp_path, device="cpu", loader=False), Metrics())
    asyncio.run(registry.look())
    served = registry.get("tiny")
    monkeypatch.setattr(Repository, "read", lambda *_: pytest.fail("it was read again"))
    asyncio.run(registry.look())
    assert registry.get("tiny") is served


def test_newest_version_loads_first(tmp_path, monkeypatch):
    for version in (2, 9, 10):
        tiny_bundle.publish(tmp_path, version=version, operations=SMALL)
    tried = []
    read = Repository.read
    monkeypatch.setattr(Repository, "read", lambda self, *key: tried.append(key) or read(self, *key))
    assert {state for state, _ in entries(tmp_path, versions=3).values()} == {"READY"}
    assert tried == [("tiny", "10"), ("tiny", "9"), ("tiny", "2")]


@pytest.mark.parametrize(("most", "runs"), [(10**6, 1), (60, 2), (59, 3), (1, 20)])
async def test_runs_are_shorter_where_a_row_takes_much_noise(tmp_path, monkeypatch, most, runs):
    """A sample of the tiny bundle takes six values: two of z and four of pixel."""
    monkeypatch.setattr(assembly, "_MOST_NOISE", most)
    tiny_bundle.publish(tmp_path, operations=["sample"])
    async with serving(tmp_path) as service:
        assert len((await service.ask("sample", num_samples=20))["x"]) == 20
        series = await service.series()
    assert series['reparam_infer_duration_seconds_count{graph="decode",model="tiny",version="1"}'] == runs


@pytest.mark.parametrize(("seconds_per_row", "runs"), [(1e-6, 1), (1.0, 4)])
async def test_large_draw_is_one_run_where_its_rows_are_done_soon(tmp_path, seconds_per_row, runs):
    tiny_bundle.publish(tmp_path, operations=["sample"])
    async with serving(tmp_path) as service:
        service.app.state.registry.get("tiny")._batchers["decode.onnx"]._seconds_per_row = seconds_per_row
        assert len((await service.ask("sample", num_samples=1024))["x"]) == 1024
        series = await service.series()
    assert series['reparam_infer_duration_seconds_count{graph="decode",model="tiny",version="1"}'] == runs


async def _not_ready(root):
    async with serving(root) as service:
        assert (await service.client.get("/livez")).status_code == 200
        response = await service.client.get("/readyz")
        assert response.status_code == 503
        return response.json()["detail"]


async def test_missing_repository_is_alive_and_not_ready(tmp_path):
    assert await _not_ready(tmp_path / "nowhere") == "the repository is not there"


async def test_empty_repository_is_alive_and_not_ready(tmp_path):
    assert await _not_ready(tmp_path) == "the repository holds no bundle"


async def test_repository_that_cannot_be_read_is_alive_and_not_ready(root, monkeypatch):
    def refuse(_):
        raise PermissionError(13, "Permission denied", str(root))

    monkeypatch.setattr(Repository, "list", refuse)
    assert await asyncio.wait_for(_not_ready(root), 10) == "the repository cannot be read"


async def test_repository_of_bad_bundles_is_alive_and_says_why_it_is_not_ready(root):
    for name in ("good", "bad"):
        spoiling.flip(root / name / "1" / "card.md")
    detail = await _not_ready(root)
    assert "good/1: card.md is not the file that was published" in detail
    assert "bad/1: card.md is not the file that was published" in detail


def test_folders_that_are_no_bundles_are_listed_and_hidden_ones_are_not(root):
    (root / "draft" / "latest").mkdir(parents=True)
    (root / ".incoming-1" / "1").mkdir(parents=True)
    found = entries(root)
    assert set(found) == {("bad", "1"), ("draft", "latest"), ("good", "1")}
    assert found["draft", "latest"] == ("UNAVAILABLE", "manifest.json cannot be read: No such file or directory")


def test_bundle_that_vanishes_while_others_load_takes_none_with_it(root, monkeypatch):
    read = Repository.read

    def remove_and_read(repository, name, version):
        shutil.rmtree(root / "bad", ignore_errors=True)
        return read(repository, name, version)

    monkeypatch.setattr(Repository, "read", remove_and_read)
    found = entries(root)
    assert found["bad", "1"] == ("UNAVAILABLE", "the folder cannot be read")
    assert found["good", "1"] == ("READY", "")


def test_failing_disk_takes_one_bundle_and_not_the_others(root, monkeypatch):
    read = Repository.read

    def fail(repository, name, version):
        if name == "bad":
            raise PermissionError(13, "Permission denied", str(root))
        return read(repository, name, version)

    monkeypatch.setattr(Repository, "read", fail)
    found = entries(root)
    assert found["bad", "1"] == ("UNAVAILABLE", "the folder cannot be read")
    assert found["good", "1"] == ("READY", "")
