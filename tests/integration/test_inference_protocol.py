"""Every call of the public client of the inference protocol, sync and asyncio, against a live server."""

import asyncio
import gc
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
import pytest
import tritonclient.http as sync_client
import tritonclient.http.aio as aio_client
from tritonclient.utils import InferenceServerException

from models import noise
from tests import tiny_bundle
from tests.integration.conftest import CAN, MANIFESTS
from tests.live_server import live_server

# The asyncio client does not read the bodies of answers whose status is all that it wants.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Unclosed connection:ResourceWarning"),
    pytest.mark.filterwarnings(r"ignore:.*Connection\.__del__:pytest.PytestUnraisableExceptionWarning"),
]

X = np.array([[[0, 1], [1, 0]], [[1, 1], [0, 0]], [[0, 0], [0, 1]]], np.float32)
Z = np.array([[0, 0], [1, -0.5], [-1.5, 2]], np.float32)
MASK = np.array([[[1, 1], [0, 0]]] * 3, np.float32)
SEED = 20


class Sync:
    """The sync client, its calls as coroutines."""

    def __init__(self, address):
        self._client = sync_client.InferenceServerClient(address)

    def __getattr__(self, call):
        made = getattr(self._client, call)

        async def asked(*arguments, **named):
            return made(*arguments, **named)

        return asked

    async def close(self):
        self._client.close()


CLIENTS = {"sync": Sync, "asyncio": aio_client.InferenceServerClient}


@pytest.fixture(params=CLIENTS)
def connected(request, address):
    """A client of the server of all models."""
    return partial(_connected, CLIENTS[request.param], address.removeprefix("http://"))


@asynccontextmanager
async def _connected(kind, address):
    client = kind(address)
    try:
        yield client
    finally:
        await client.close()
        del client
        gc.collect()  # so that what it leaves behind is met here, where it is expected


def tensor(name, array, *, is_binary):
    given = sync_client.InferInput(name, array.shape, "INT64" if array.dtype == np.int64 else "FP32")
    given.set_data_from_numpy(array, binary_data=is_binary)
    return given


def wanted(name, *, is_binary):
    return sync_client.InferRequestedOutput(name, binary_data=is_binary)


async def test_health_and_readiness(connected):
    async with connected() as client:
        assert await client.is_server_live()
        assert await client.is_server_ready()
        assert await client.is_model_ready("tiny")
        assert await client.is_model_ready("tiny", "1")
        assert not await client.is_model_ready("tiny", "2")
        assert not await client.is_model_ready("missing")


async def test_metadata_and_config(connected):
    async with connected() as client:
        assert (await client.get_server_metadata())["name"] == "reparam"
        for version in ("", "1"):
            metadata = await client.get_model_metadata("tiny", version)
            assert (metadata["name"], metadata["versions"]) == ("tiny", ["1"])
            assert metadata["inputs"] == []
            assert metadata["outputs"][0] == {"name": "x", "datatype": "FP32", "shape": [-1, 2, 2]}
            assert (await client.get_model_config("tiny", version))["name"] == "tiny"


async def test_index_lists_every_bundle(connected):
    async with connected() as client:
        index = await client.get_model_repository_index()
    assert {entry["name"] for entry in index} == {*CAN}
    assert {entry["state"] for entry in index} == {"READY"}
    assert set(index[0]) == {"name", "version", "state", "reason"}


async def test_statistics_count_what_was_asked(connected):
    async with connected() as client:
        before = (await client.get_inference_statistics("tiny", "1"))["model_stats"][0]
        await client.infer("tiny", [], parameters={"num_samples": 7})
        after = (await client.get_inference_statistics("tiny"))["model_stats"][0]
        listed = (await client.get_inference_statistics())["model_stats"]
    assert after["inference_count"] == before["inference_count"] + 7
    assert after["execution_count"] == before["execution_count"] + 1
    assert {one["name"] for one in listed} == {*CAN}


OPERATIONS = {
    "sample": ({"num_samples": 3}, {}),
    "encode": ({"temperature": 1.0}, {"x": X}),
    "decode": ({"temperature": 1.0}, {"z": Z}),
    "complete": ({}, {"x": X, "mask": MASK}),
    "criticize": ({}, {"x": X}),
}


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("forms", ["json", "binary", "mixed"])
async def test_infer_gives_the_numbers_of_the_verb_of_the_same_seed(connected, client, operation, forms):
    parameters, data = OPERATIONS[operation]
    place = {"seed": SEED, "index": 2}
    names = [
        output["name"]
        for output in client.get("/v2/models/tiny").json()["parameters"]["operations"][operation]["outputs"]
    ]
    in_binary = {"json": [False, False], "binary": [True, True], "mixed": [True, False]}[forms]
    inputs = [
        tensor(name, array, is_binary=is_binary)
        for (name, array), is_binary in zip(data.items(), in_binary, strict=False)
    ]
    outputs = [wanted(name, is_binary=in_binary[i % 2]) for i, name in enumerate(names)]
    async with connected() as triton:
        result = await triton.infer(
            "tiny", inputs, outputs=outputs, parameters={"operation": operation, **place, **parameters}
        )
    asked = {**place, **parameters, **{name: array.tolist() for name, array in data.items()}}
    if operation != "criticize":
        asked["outputs"] = names
    verb = client.post(f"/v2/models/tiny/{operation}", json=asked).raise_for_status().json()
    for name in names:
        assert result.as_numpy(name).tobytes() == np.array(verb[name]).astype(np.float32).tobytes()
    assert result.get_response()["parameters"]["seed"] == SEED


async def test_outputs_are_all_and_binary_if_none_is_named(connected):
    async with connected() as client:
        result = await client.infer("tiny", [], parameters={"seed": SEED})
    response = result.get_response()
    assert [output["name"] for output in response["outputs"]] == ["x", "mean", "z"]
    assert all("binary_data_size" in output["parameters"] for output in response["outputs"])
    drawn = noise.draw("normal", "z", (2,), seed=SEED)
    assert result.as_numpy("z").tobytes() == drawn.tobytes()


async def test_score_is_the_mean_of_its_terms(connected, client):
    async with connected() as triton:
        result = await triton.infer(
            "tiny",
            [tensor("x", X, is_binary=True)],
            parameters={"operation": "score", "samples": 50, "seed": SEED},
        )
    rows = client.post("/v2/models/tiny/score", json={"x": X.tolist(), "samples": 50, "seed": SEED}).json()["rows"]
    assert result.as_numpy("log_weight").shape == (3, 50)
    elbo = result.as_numpy("elbo").astype(np.float64).mean(axis=1)
    assert [row["elbo"] for row in rows] == pytest.approx(elbo.tolist())


@pytest.mark.parametrize("is_binary", [False, True])
async def test_caller_may_send_the_noise(connected, is_binary):
    pixel = np.full((3, 2, 2), -0.25, np.float32)
    async with connected() as client:
        sent = [tensor(name, array, is_binary=is_binary) for name, array in (("z", Z), ("pixel", pixel))]
        result = await client.infer("tiny", sent)
    assert (result.as_numpy("x") == (tiny_bundle.logits(Z) + pixel > 0)).all()


async def test_label_is_an_input(connected, client):
    name = next(name for name, manifest in MANIFESTS.items() if manifest.labels)
    labels = np.array([1, 0, 1])
    async with connected() as triton:
        for is_binary in (False, True):
            given = [tensor("label", labels, is_binary=is_binary)]
            result = await triton.infer(name, given, parameters={"seed": SEED})
            asked = {"seed": SEED, "num_samples": 3, "label": labels.tolist()}
            verb = client.post(f"/v2/models/{name}/sample", json=asked).raise_for_status().json()
            assert result.as_numpy("x").tobytes() == np.float32(verb["x"]).tobytes()


async def test_request_may_have_an_id_a_sequence_a_priority_and_a_timeout(connected):
    async with connected() as client:
        result = await client.infer(
            "tiny", [], "1", request_id="mine", sequence_id=4, sequence_start=True, priority=2, timeout=30_000_000
        )
    assert result.get_response()["id"] == "mine"
    assert result.get_response()["model_version"] == "1"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("missing", []), "no such model"),
        (("autoencoder", []), "encode of autoencoder takes x"),
        (("tiny", [tensor("z", X, is_binary=True)]), "z has shape"),
    ],
)
async def test_refusal_is_the_clients_exception_with_the_reason(connected, arguments, complaint):
    async with connected() as client:
        with pytest.raises(InferenceServerException, match=complaint):
            await client.infer(*arguments)


async def test_packed_request_is_refused_with_the_reason(connected):
    async with connected() as client:
        with pytest.raises(InferenceServerException, match="without Content-Encoding"):
            await client.infer("tiny", [tensor("z", Z, is_binary=True)], request_compression_algorithm="gzip")


async def test_packed_answer_is_asked_for_and_comes_plain(connected):
    async with connected() as client:
        result = await client.infer("tiny", [], response_compression_algorithm="gzip")
    assert result.as_numpy("x").shape == (1, 2, 2)


async def test_loading_over_http_is_refused_unless_the_operator_wants_it(connected):
    async with connected() as client:
        for call in (client.load_model, client.unload_model):
            with pytest.raises(InferenceServerException, match="--admin"):
                await call("tiny")
        assert await client.is_model_ready("tiny")


@pytest.fixture(scope="module")
def administered(tmp_path_factory):
    root = tmp_path_factory.mktemp("administered")
    tiny_bundle.publish(root)
    with live_server(repository=root, device="cpu", admin=True) as server:
        server.wait_until_ready()
        yield server.address


@pytest.mark.parametrize("kind", CLIENTS)
async def test_operator_can_unload_and_load(administered, kind):
    async with _connected(CLIENTS[kind], administered) as client:
        await client.unload_model("tiny")
        assert not await client.is_model_ready("tiny")
        assert [entry["state"] for entry in await client.get_model_repository_index()] == ["UNAVAILABLE"]
        await client.load_model("tiny")
        assert await client.is_model_ready("tiny")


def test_sync_client_can_ask_without_waiting(address):
    client = sync_client.InferenceServerClient(address.removeprefix("http://"), concurrency=4)
    try:
        asked = [client.async_infer("tiny", [], parameters={"seed": seed}) for seed in range(8)]
        codes = [request.get_result().as_numpy("z") for request in asked]
    finally:
        client.close()
    for seed, code in enumerate(codes):
        assert code.tobytes() == noise.draw("normal", "z", (2,), seed=seed).tobytes()


async def test_many_at_once_get_each_their_own(connected):
    async with connected() as client:
        results = await asyncio.gather(*(client.infer("tiny", [], parameters={"seed": seed}) for seed in range(32)))
    for seed, result in enumerate(results):
        assert result.as_numpy("z").tobytes() == noise.draw("normal", "z", (2,), seed=seed).tobytes()
