"""Versions come, go and are swapped, and no request is lost by it."""

import asyncio
import os
import shutil

import numpy as np
import pytest

from service.errors import Loading, UnknownModel
from service.registry import Registry
from tests import tiny_bundle
from tests.service import spoiling
from tests.service.conftest import serving
from tests.service.test_envelope import Held

SWAPS = 200
CODE = [[0, 0]]


def publish(root, version, name="tiny"):
    """Even versions are dark and odd ones bright, so that an answer's pixels tell its version's parity."""
    return tiny_bundle.publish(root, name, version, operations=["decode"], bias=40 if version % 2 else -40)


def states(registry, name="tiny"):
    return {entry.version: entry.state for entry in registry.entries() if entry.name == name}


@pytest.fixture
def root(tmp_path):
    for version in (1, 2, 3):
        publish(tmp_path, version)
    return tmp_path


@pytest.fixture
async def service(root):
    """Three versions, of which two stay loaded; nothing is looked at but when told to."""
    async with serving(root, watch_seconds=3600) as running:
        yield running


@pytest.fixture
def registry(service) -> Registry:
    return service.app.state.registry


async def version(service, model="tiny"):
    answer = await service.ask("decode", model, z=CODE)
    assert (answer["x"] == answer["version"] % 2).all()
    return answer["version"]


async def test_swaps_under_load_lose_no_request_and_mix_no_answer(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)  # most of the time that publishing takes
    publish(tmp_path, 1)
    async with serving(tmp_path, watch_seconds=3600) as service:
        registry, done = service.app.state.registry, asyncio.Event()

        async def keep_asking():
            seen = []
            while not done.is_set():
                response = await service.post("decode", z=CODE * 3)
                answer = response.json()
                assert response.status_code == 200
                assert response.headers["Reparam-Model"] == f"tiny/{answer['version']}"
                assert response.headers["Reparam-Digest"] == answer["digest"]
                assert np.array_equal(answer["x"], np.full((3, 2, 2), answer["version"] % 2))
                seen.append(answer["version"])
                await asyncio.sleep(0.002)
            return seen

        async with asyncio.TaskGroup() as callers:
            asking = [callers.create_task(keep_asking()) for _ in range(2)]
            for number in range(2, SWAPS + 2):
                publish(tmp_path, number)
                await registry.look()
                shutil.rmtree(tmp_path / "tiny" / str(number - 1))
                assert registry.get("tiny").manifest.version == number
            done.set()
        for seen in (task.result() for task in asking):
            assert seen == sorted(seen)
            assert len(set(seen)) > SWAPS / 4
        await registry.look()
        assert states(registry) == {str(SWAPS + 1): "READY"}
        series = await service.series()
        assert len([name for name in series if name.startswith("reparam_batch_rows_sum")]) == 1


async def test_newest_stay_loaded_and_older_ones_load_when_asked_for(service, registry):
    assert states(registry) == {"1": "UNAVAILABLE", "2": "READY", "3": "READY"}
    assert (await service.client.get("/v2/models/tiny")).json()["versions"] == ["1", "2", "3"]
    assert await version(service, "tiny/versions/1") == 1
    assert await version(service) == 3
    assert states(registry) == {"1": "READY", "2": "READY", "3": "READY"}


async def test_version_that_rests_is_put_away_once(service, root, registry, monkeypatch):
    put_away = []
    monkeypatch.setattr(registry._metrics, "forget", lambda *key: put_away.append(key))
    for number in (4, 5):
        publish(root, number)
        await registry.look()
    assert put_away == [("tiny", "2"), ("tiny", "3")]


async def test_only_the_older_version_that_was_asked_for_last_stays(service, root, registry):
    await version(service, "tiny/versions/1")
    publish(root, 4)
    await registry.look()
    assert states(registry) == {"1": "READY", "2": "UNAVAILABLE", "3": "READY", "4": "READY"}
    assert await version(service, "tiny/versions/2") == 2
    assert states(registry) == {"1": "UNAVAILABLE", "2": "READY", "3": "READY", "4": "READY"}


async def test_callers_of_many_older_versions_are_all_answered(service, root, registry):
    for number in range(4, 9):
        publish(root, number)
    await registry.look()
    asked = [1, 2, 3, 4, 5, 6] * 2
    assert await asyncio.gather(*(version(service, f"tiny/versions/{number}") for number in asked)) == asked


async def test_withdrawn_version_goes_and_the_one_before_answers(service, root, registry):
    shutil.rmtree(root / "tiny" / "3")
    await registry.look()
    assert await version(service) == 2
    assert states(registry) == {"1": "READY", "2": "READY"}
    assert (await service.post("decode", "tiny/versions/3", z=CODE)).status_code == 404


@pytest.mark.parametrize("lost", ["", "tiny"])
async def test_folders_that_are_gone_altogether_take_nothing_out_of_service(service, root, registry, lost):
    """A disk that is no longer mounted looks like this."""
    (root / lost).rename(root.parent / "elsewhere")
    if lost:
        (root / "tiny").parent.mkdir(exist_ok=True)
    await registry.look()
    assert await version(service) == 3
    (root.parent / "elsewhere").rename(root / lost)


async def test_bad_version_is_listed_while_the_one_before_answers(service, root, registry):
    spoiling.flip(publish(root, 4) / "decode.onnx")
    await registry.look()
    assert states(registry)["4"] == "UNAVAILABLE"
    assert await version(service) == 3
    with pytest.raises(UnknownModel, match=r"decode\.onnx is not the file that was published"):
        registry.get("tiny", "4")


async def test_bad_version_is_tried_again_once_it_changes(service, root, registry):
    folder = publish(root, 4)
    content = (folder / "decode.onnx").read_bytes()
    (folder / "decode.onnx").write_bytes(content[:100])
    await registry.look()
    assert await version(service) == 3
    (folder / "decode.onnx").write_bytes(content)
    await registry.look()
    assert await version(service) == 4


async def test_unloaded_model_stays_away_until_it_is_loaded(service, root, registry):
    await registry.unload("tiny")
    publish(root, 4)
    await registry.look()
    assert set(states(registry).values()) == {"UNAVAILABLE"}
    for path in ("tiny", "tiny/versions/2"):
        refused = await service.post("decode", path, z=CODE)
        assert refused.status_code == 404
        assert "it was unloaded" in refused.json()["detail"]
    await registry.load("tiny")
    assert await version(service) == 4
    assert states(registry) == {"1": "UNAVAILABLE", "2": "UNAVAILABLE", "3": "READY", "4": "READY"}


async def test_unloading_takes_no_other_model_with_it(service, root, registry):
    publish(root, 5, "other")
    await registry.look()
    await registry.unload("tiny")
    assert await version(service, "other") == 5


async def test_load_finds_what_was_published_just_now(service, root, registry):
    publish(root, 1, "other")
    await registry.load("other")
    assert await version(service, "other") == 1


async def test_load_says_what_is_wrong(service, root, registry):
    with pytest.raises(UnknownModel, match="no such model or version; there are tiny"):
        await registry.load("nobody")
    with pytest.raises(UnknownModel, match="no such model or version; there are tiny"):
        await registry.unload("nobody")
    (publish(root, 1, "other") / "card.md").unlink()
    with pytest.raises(UnknownModel, match=r"other/1 is not served: card\.md is missing"):
        await registry.load("other")


async def test_version_is_unloading_until_its_work_is_done(service, root, registry, monkeypatch):
    held = Held(monkeypatch)
    asked = asyncio.create_task(service.post("decode", "tiny/versions/2", z=CODE))
    await held.until_begun()
    for _ in range(2):
        await registry.unload("tiny")
        assert states(registry) == {"1": "UNAVAILABLE", "2": "UNLOADING", "3": "UNAVAILABLE"}
    assert (await service.post("decode", "tiny/versions/2", z=CODE)).status_code == 404
    held.let_go.set()
    assert (await asked).json()["version"] == 2
    async with asyncio.timeout(10):
        while states(registry)["2"] == "UNLOADING":
            await asyncio.sleep(0.005)
    assert states(registry)["2"] == "UNAVAILABLE"


async def test_older_version_answers_while_a_newer_one_loads(service, root, registry, monkeypatch):
    publish(root, 4)
    go_on = asyncio.Event()

    to_thread = asyncio.to_thread

    async def slowly(function, *arguments):
        if function.__name__ == "attempt":
            await go_on.wait()
        return await to_thread(function, *arguments)

    monkeypatch.setattr(asyncio, "to_thread", slowly)
    looking = asyncio.create_task(registry.look())
    async with asyncio.timeout(10):
        while states(registry).get("4") != "LOADING":
            await asyncio.sleep(0.005)
    assert await version(service) == 3
    with pytest.raises(Loading):
        registry.get("tiny", "4")
    go_on.set()
    await looking
    assert await version(service) == 4


async def test_new_version_is_found_without_being_told(root):
    async with serving(root, watch_seconds=0.05) as service, asyncio.timeout(30):
        publish(root, 4)
        while await version(service) != 4:
            await asyncio.sleep(0.01)


async def test_repository_that_comes_later_is_found(tmp_path):
    async with serving(tmp_path / "later", watch_seconds=0.05) as service, asyncio.timeout(30):
        publish(tmp_path / "later", 1)
        while (await service.post("decode", z=CODE)).status_code != 200:
            await asyncio.sleep(0.01)


async def test_file_system_tells_of_a_new_version(root):
    """The next look by itself would be in an hour."""
    async with serving(root, watch_seconds=3600) as service, asyncio.timeout(30):
        await asyncio.sleep(0.5)
        publish(root, 4)
        while await version(service) != 4:
            await asyncio.sleep(0.01)


async def test_version_that_is_gone_leaves_nothing_behind(root):
    async with serving(root, watch_seconds=0.02) as service:
        registry, gone = service.app.state.registry, ("tiny", "1")
        known = [service.app.state.statistics._tallies, registry._metrics._runs_before]
        await version(service, "tiny/versions/1")
        await version(service, "tiny/versions/2")
        service.app.state.metrics.answered(*gone, "decode", 200, 0.001)  # it was under way
        assert all(gone in one for one in known)
        shutil.rmtree(root / "tiny" / "1")
        async with asyncio.timeout(30):
            while any(gone in one for one in [*known, registry._inventory._stamps]):
                await asyncio.sleep(0.01)
        assert not [name for name in await service.series() if 'version="1"' in name]
        assert states(registry) == {"2": "READY", "3": "READY"}
