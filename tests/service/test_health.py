"""What operators see: alive while loading, ready when warm, and metrics whose labels are closed sets."""

import asyncio
import random
import threading

import pytest

from service import registry
from tests.service.conftest import serving

NAMES = {
    "reparam_requests_total",
    "reparam_request_duration_seconds",
    "reparam_queue_duration_seconds",
    "reparam_infer_duration_seconds",
    "reparam_batch_rows",
    "reparam_queue_rows",
    "reparam_rejected_total",
    "reparam_journal_missed_total",
    "reparam_cancelled_total",
    "reparam_model_state",
    "reparam_model_refused",
    "reparam_model_load_seconds",
    "reparam_provider_info",
}


@pytest.fixture
def slow_loading(monkeypatch):
    """No bundle is loaded until this is set."""
    go_on = threading.Event()
    assemble = registry.assemble

    def wait_and_assemble(*arguments):
        assert go_on.wait(10)
        return assemble(*arguments)

    monkeypatch.setattr(registry, "assemble", wait_and_assemble)
    yield go_on
    go_on.set()


async def test_alive_but_not_ready_while_loading(repository, slow_loading):
    async with serving(repository, ready=False) as service:
        assert (await service.client.get("/livez")).json() == {"status": "alive"}
        for path in ("/readyz", "/v2/models/tiny"):
            response = await service.client.get(path)
            assert response.status_code == 503
            assert response.headers["Retry-After"] == "1"
            assert response.json()["detail"] == "the models are still being loaded"
        assert (await service.post("sample")).status_code == 503
        while not (models := (await service.client.get("/v2/models")).json()["models"]):
            await asyncio.sleep(0.005)
        assert {model["state"] for model in models} == {"LOADING"}
        slow_loading.set()
        while (ready := await service.client.get("/readyz")).status_code == 503:
            await asyncio.sleep(0.005)
        assert ready.json() == {"status": "ready"}
        assert (await service.post("sample")).status_code == 200


async def test_metrics_have_the_names_of_the_contract(service):
    await service.ask("sample")
    response = await service.client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    assert {line.split()[2] for line in response.text.splitlines() if line.startswith("# TYPE")} == NAMES


async def test_requests_are_counted_by_model_version_operation_and_code(repository):
    async with serving(repository) as service:
        await service.post("sample")
        await service.post("sample", "tiny/versions/1")
        await service.post("sample", num_samples=0)
        await service.post("encode", "nobody")
        series = await service.series()
    counts = {name: value for name, value in series.items() if name.startswith("reparam_requests_total")}
    assert counts == {
        'reparam_requests_total{code="200",model="tiny",operation="sample",version="1"}': 2,
        'reparam_requests_total{code="422",model="tiny",operation="sample",version="1"}': 1,
        'reparam_requests_total{code="404",model="",operation="encode",version=""}': 1,
    }


async def test_models_states_are_told(service):
    series = await service.series()
    for state, value in (("READY", 1), ("LOADING", 0), ("UNAVAILABLE", 0)):
        assert series[f'reparam_model_state{{model="tiny",state="{state}",version="1"}}'] == value


async def test_random_paths_and_ids_add_no_series(repository):
    async with serving(repository) as service:
        await _wander(service, seed=0)
        before = set(await service.series())
        await _wander(service, seed=1)
        assert set(await service.series()) == before
        assert len([name for name in before if name.startswith("reparam_requests_total")]) < 20


async def _wander(service, seed):
    """A hundred paths that nobody has asked for before."""
    generator = random.Random(seed)
    await service.client.get("/metrics")
    for _ in range(25):
        word = f"{generator.getrandbits(64):x}"
        headers = {"X-Request-ID": word, "X-API-Key": word}
        await service.client.get(f"/{word}", headers=headers)
        await service.client.get(f"/v2/models/{word}", headers=headers)
        await service.post("sample", word, headers=headers)
        await service.post(word, headers=headers)


async def test_answer_tells_where_the_time_went(service):
    timing = (await service.post("sample", num_samples=100)).headers["Server-Timing"]
    durations = dict(part.split(";dur=") for part in timing.split(", "))
    assert set(durations) == {"queue", "infer", "encode"}
    assert float(durations["infer"]) > 0
    assert float(durations["encode"]) > 0
