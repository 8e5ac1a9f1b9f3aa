"""The protocol's small calls, as its public client makes them."""

import asyncio
import json

import pytest

from service.errors import UnknownModel
from tests import tiny_bundle
from tests.service.conftest import serving
from tests.service.test_errors import MARKER, check
from tests.service.test_health import slow_loading  # noqa: F401 (a fixture)


async def get(service, path):
    response = await service.client.get(path)
    assert response.status_code == 200, response.text
    return response.json()


async def test_server_says_who_it_is_and_what_it_knows(service):
    metadata = await get(service, "/v2")
    assert set(metadata) == {"name", "version", "extensions"}
    assert metadata["name"] == "reparam"
    assert metadata["extensions"] == ["binary_tensor_data", "model_repository", "statistics"]


async def test_live_and_ready(service):
    assert await get(service, "/v2/health/live") == {"live": True}
    assert await get(service, "/v2/health/ready") == {"ready": True}
    for path in ("/v2/models/tiny/ready", "/v2/models/tiny/versions/1/ready"):
        assert await get(service, path) == {"name": "tiny", "ready": True}
    for path in ("/v2/models/missing/ready", "/v2/models/tiny/versions/2/ready"):
        check(await service.client.get(path), 404, "unknown-model")


@pytest.mark.usefixtures("slow_loading")
async def test_not_ready_while_loading(repository):
    async with serving(repository, ready=False) as service:
        assert await get(service, "/v2/health/live") == {"live": True}
        check(await service.client.get("/v2/health/ready"), 503, "not-ready")
        check(await service.client.get("/v2/models/tiny/ready"), 503, "loading")


async def test_config_is_that_of_the_default_operation(service):
    config = await get(service, "/v2/models/labelled/config")
    assert config["name"] == "labelled"
    assert config["max_batch_size"] == 4096
    assert config["input"] == [{"name": "label", "data_type": "TYPE_INT64", "dims": []}]
    assert [tensor["name"] for tensor in config["output"]] == ["x", "mean", "z"]
    assert config["output"][0]["dims"] == [2, 2]
    assert await get(service, "/v2/models/labelled/versions/1/config") == config


async def test_metadata_names_the_noise_that_may_be_sent(service):
    operations = (await get(service, "/v2/models/tiny"))["parameters"]["operations"]
    assert [tensor["name"] for tensor in operations["sample"]["noise"]] == ["z", "pixel"]
    assert operations["score"]["noise"] == [{"name": "epsilon", "datatype": "FP32", "shape": [-1, -1, 2]}]
    assert operations["encode"]["noise"] == [{"name": "epsilon", "datatype": "FP32", "shape": [-1, 2]}]


INDEX = "/v2/repository/index"


async def test_index_lists_every_version_with_its_state(tmp_path):
    tiny_bundle.publish(tmp_path)
    (tiny_bundle.publish(tmp_path, version=2) / "card.md").write_text("changed")
    async with serving(tmp_path) as service:
        ready, broken = (await service.client.post(INDEX)).json()
        assert ready == {"name": "tiny", "version": "1", "state": "READY", "reason": ""}
        assert (broken["version"], broken["state"]) == ("2", "UNAVAILABLE")
        assert "card.md" in broken["reason"]
        assert (await service.client.post(INDEX, json={"ready": True})).json() == [ready]
        assert (await service.client.post(INDEX, json={})).json() == [ready, broken]


@pytest.mark.parametrize(("body", "status"), [(b"[]", 422), (b"1", 422), (b"{", 400), (b"\xff", 400)])
async def test_index_takes_an_object_or_nothing(service, body, status):
    kinds = {422: "invalid-input", 400: "malformed-body"}
    check(await service.client.post(INDEX, content=body), status, kinds[status])


REPOSITORY = "/v2/repository/models"


@pytest.mark.parametrize("call", ["load", "unload"])
@pytest.mark.parametrize("model", ["tiny", "missing", MARKER, ".."])
async def test_loading_over_http_is_off_unless_the_operator_wants_it(service, call, model):
    response = await service.client.post(f"{REPOSITORY}/{model.replace('..', '%2e%2e')}/{call}", json={})
    problem = check(response, 403, "admin-disabled")
    assert "--admin" in problem["detail"]
    assert (await service.post("sample")).status_code == 200


async def test_operator_can_unload_and_load_again(tmp_path):
    tiny_bundle.publish(tmp_path)
    async with serving(tmp_path, admin=True) as service:
        before = await service.ask("sample", seed=1)
        unload = {"parameters": {"unload_dependents": False}}
        response = await service.client.post(f"{REPOSITORY}/tiny/unload", json=unload)
        assert response.status_code == 200
        while (entry := (await service.client.post(INDEX)).json()[0])["state"] == "UNLOADING":
            await asyncio.sleep(0.005)
        assert (entry["state"], entry["reason"]) == ("UNAVAILABLE", "it was unloaded")
        check(await service.post("sample"), 404, "unknown-model")
        with pytest.raises(UnknownModel):
            service.app.state.registry.get("tiny")
        response = await service.client.post(f"{REPOSITORY}/tiny/load", content=json.dumps({}))
        assert response.status_code == 200
        assert (await service.ask("sample", seed=1))["x"].tobytes() == before["x"].tobytes()


async def test_unloaded_model_stays_away_when_the_repository_is_looked_at(tmp_path):
    tiny_bundle.publish(tmp_path)
    async with serving(tmp_path, admin=True) as service:
        await service.client.post(f"{REPOSITORY}/tiny/unload")
        await service.app.state.registry.look()
        check(await service.post("sample"), 404, "unknown-model")


@pytest.mark.parametrize("call", ["load", "unload"])
async def test_operator_who_names_no_model_is_told_so(repository, call):
    async with serving(repository, admin=True) as service:
        check(await service.client.post(f"{REPOSITORY}/missing/{call}"), 404, "unknown-model")


@pytest.mark.parametrize("parameters", [{"config": "{}"}, {"file:1/model.onnx": "AAAA"}, [], "x"])
async def test_model_cannot_be_brought_along(repository, parameters):
    async with serving(repository, admin=True) as service:
        response = await service.client.post(f"{REPOSITORY}/tiny/load", json={"parameters": parameters})
        check(response, 422, "invalid-input")
