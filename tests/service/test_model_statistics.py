"""Statistics count rows, runs and requests, and tell where their time went."""

import asyncio

import pytest

from tests import tiny_bundle
from tests.service.conftest import serving
from tests.service.test_generative import X

PARTS = ("success", "fail", "queue", "compute_input", "compute_infer", "compute_output", "cache_hit", "cache_miss")


@pytest.fixture
def root(tmp_path):
    tiny_bundle.publish(tmp_path)
    tiny_bundle.publish(tmp_path, version=2)
    tiny_bundle.publish(tmp_path, "other")
    return tmp_path


async def of(service, path="/v2/models/tiny/stats"):
    response = await service.client.get(path)
    assert response.status_code == 200, response.text
    [found] = response.json()["model_stats"]
    return found


async def test_statistics_begin_with_nothing(root):
    async with serving(root) as service:
        found = (await service.client.get("/v2/models/stats")).json()["model_stats"]
        assert [(one["name"], one["version"]) for one in found] == [("other", "1"), ("tiny", "1"), ("tiny", "2")]
        for one in found:
            assert (one["inference_count"], one["execution_count"], one["last_inference"]) == (0, 0, 0)
            assert one["inference_stats"] == {part: {"count": 0, "ns": 0} for part in PARTS}
            assert (one["batch_stats"], one["memory_usage"]) == ([], [])


async def test_rows_runs_and_requests_are_counted_for_the_version_that_answered(root):
    async with serving(root, batch_rows=4) as service:
        await service.ask("sample", num_samples=6)  # two runs, of four rows and of two
        await service.ask("reconstruct", x=X.tolist())  # five rows through two graphs, two runs each
        await service.client.post("/v2/models/tiny/infer", json={"inputs": []})
        await service.post("sample", num_samples=0)
        await service.post("sample", label=1)
        found = await of(service)
        assert found == await of(service, "/v2/models/tiny/versions/2/stats")
        assert (found["version"], found["inference_count"], found["execution_count"]) == ("2", 6 + 5 + 5 + 1, 2 + 4 + 1)
        stats = found["inference_stats"]
        assert (stats["success"]["count"], stats["fail"]["count"]) == (3, 2)
        for part in ("queue", "compute_input", "compute_infer", "compute_output"):
            assert stats[part]["count"] == 3
            assert 0 < stats[part]["ns"] < stats["success"]["ns"]
        assert stats["fail"]["ns"] > 0
        assert found["last_inference"] > 1_700_000_000_000
        assert (await of(service, "/v2/models/tiny/versions/1/stats"))["inference_count"] == 0


async def test_requests_that_share_a_run_count_each_for_themselves(root):
    async with serving(root) as service:
        await asyncio.gather(*(service.ask("sample", seed=seed) for seed in range(40)))
        found = await of(service)
        assert found["inference_count"] == found["inference_stats"]["success"]["count"] == 40
        assert found["execution_count"] < 40


async def test_counts_go_on_when_a_model_was_unloaded_and_loaded_again(root):
    async with serving(root, admin=True) as service:
        for rows in (1, 2):
            await service.ask("sample", num_samples=3)
            found = await of(service)
            assert (found["inference_count"], found["execution_count"]) == (3 * rows, rows)
            for verb in ("unload", "load"):
                assert (await service.client.post(f"/v2/repository/models/tiny/{verb}")).status_code == 200


async def test_what_asks_for_no_run_does_not_count(root):
    async with serving(root) as service:
        for path in ("", "/ready", "/config", "/stats", "/preview.png"):
            await service.client.get(f"/v2/models/tiny{path}")
        found = await of(service)
        assert (found["inference_stats"]["success"]["count"], found["inference_stats"]["fail"]["count"]) == (0, 0)


async def test_statistics_of_a_model_that_is_missing(root):
    async with serving(root) as service:
        assert (await service.client.get("/v2/models/missing/stats")).status_code == 404
