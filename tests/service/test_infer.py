"""`infer` gives the verbs' numbers, takes noise from the caller, and refuses what does not fit."""

import asyncio
import json

import numpy as np
import pytest

from models import noise
from service.served_model import ServedModel
from tests import tiny_bundle
from tests.service.test_errors import MARKER, check
from tests.service.test_generative import LABELS, MASK, SEED, X, Z, close, drawn

URL = "/v2/models/tiny/infer"
HEAD = "Inference-Header-Content-Length"
TYPES = {np.dtype(np.float32): "FP32", np.dtype(np.int64): "INT64"}


def tensor(name, array, **fields):
    array = np.asarray(array)
    return {"name": name, "shape": list(array.shape), "datatype": TYPES[array.dtype], "data": array.tolist()} | fields


def binary(name, array):
    array = np.asarray(array)
    given = tensor(name, array, parameters={"binary_data_size": array.nbytes})
    del given["data"]
    return given


async def send(service, body, *raw, model="tiny", headers=()):
    """As the protocol frames it, without any Content-Type."""
    head = json.dumps(body).encode()
    headers = dict(headers) | ({HEAD: str(len(head))} if raw else {})
    content = b"".join([head, *(np.asarray(array).tobytes() for array in raw)])
    return await service.client.post(f"/v2/models/{model}/infer", content=content, headers=headers)


def received(response):
    """The outputs as arrays, JSON and binary."""
    assert response.status_code == 200, response.text
    length = int(response.headers.get(HEAD, len(response.content)))
    answer, rest = json.loads(response.content[:length], parse_constant=pytest.fail), response.content[length:]
    outputs = {}
    for output in answer["outputs"]:
        assert output["datatype"] == "FP32"
        if size := output.get("parameters", {}).get("binary_data_size"):
            assert "data" not in output
            values, rest = np.frombuffer(rest[:size], "<f4"), rest[size:]
        else:
            values = np.array(output["data"], np.float64).astype(np.float32)
        outputs[output["name"]] = values.reshape(output["shape"])
    assert rest == b""
    return outputs


async def infer(service, operation=None, inputs=(), model="tiny", **parameters):
    parameters |= {"operation": operation} if operation else {}
    return received(await send(service, {"parameters": parameters, "inputs": list(inputs)}, model=model))


CALLS = {
    "sample": ({"num_samples": 5}, {"num_samples": 5}, {}),
    "encode": ({"temperature": 1}, {"temperature": 1}, {"x": X}),
    "decode": ({"temperature": 1}, {"temperature": 1}, {"z": Z}),
    "complete": ({}, {}, {"x": X, "mask": MASK}),
    "criticize": ({}, {}, {"x": X}),
}


@pytest.mark.parametrize("operation", CALLS)
async def test_same_seed_gives_the_verbs_numbers(service, operation):
    parameters, fields, data = CALLS[operation]
    place = {"seed": SEED, "index": 2}
    outputs = await infer(
        service, operation, [tensor(name, array) for name, array in data.items()], **place, **parameters
    )
    names = {} if operation == "criticize" else {"outputs": list(outputs)}
    rows = {name: array.tolist() for name, array in data.items()}
    same = await service.ask(operation, **place, **fields, **rows, **names)
    for name, array in outputs.items():
        assert array.tobytes() == same[name].tobytes(), name


@pytest.mark.parametrize(("operation", "at"), [("sample", 1), ("complete", 1), ("encode", 0), ("decode", 0)])
async def test_temperature_is_the_verbs_by_default(service, operation, at):
    inputs = [tensor(name, array) for name, array in CALLS[operation][2].items()]
    default = await infer(service, operation, inputs, seed=SEED)
    given = await infer(service, operation, inputs, seed=SEED, temperature=at)
    assert all(default[name].tobytes() == given[name].tobytes() for name in default)


async def test_score_gives_the_terms_of_each_sample(service):
    outputs = await infer(service, "score", [tensor("x", X)], seed=SEED, samples=40)
    epsilon = noise.draw("normal", "epsilon", (2,), seed=SEED, rows=5, samples=range(40))
    for name, expected in tiny_bundle.score(X, epsilon).items():
        close(outputs[name], expected)
    rows = (await service.ask("score", x=X.tolist(), samples=40, seed=SEED))["rows"]
    assert [row["elbo"] for row in rows] == pytest.approx(outputs["elbo"].astype(np.float64).mean(axis=1).tolist())


async def test_score_draws_sixteen_samples_by_default(service):
    assert (await infer(service, "score", [tensor("x", X)]))["log_weight"].shape == (5, 16)


async def test_exact_score_takes_no_samples_from_noise(service):
    assert (await infer(service, "score", [tensor("x", X)], model="exact"))["log_weight"].shape == (5, 1)


async def test_operation_is_sample_by_default_else_encode(service):
    assert (await infer(service, seed=SEED))["z"].tobytes() == (await service.ask("sample", seed=SEED))["z"].tobytes()
    found = await infer(service, None, [tensor("x", X)], model="autoencoder")
    close(found["z"], tiny_bundle.posterior(X)[0])


async def test_noise_that_is_sent_is_used_as_it_is(service):
    z, pixel = 2 * Z, np.full((5, 2, 2), 0.25, np.float32)
    outputs = await infer(service, "sample", [tensor("z", z), tensor("pixel", pixel)], temperature=0)
    logits = tiny_bundle.logits(z)
    assert (outputs["x"] == (logits + pixel > 0)).all()
    assert (outputs["z"] == z).all()


async def test_noise_that_is_not_sent_is_drawn_beside_it(service):
    outputs = await infer(service, "sample", [tensor("z", Z)], seed=SEED)
    assert (outputs["x"] == (tiny_bundle.logits(Z) + drawn("logistic", "pixel", (2, 2)) > 0)).all()


async def test_noise_of_a_score_has_rows_and_samples(service, small):
    """However it is cut: a run of `small` takes three samples."""
    epsilon = np.linspace(-2, 2, 5 * 9 * 2, dtype=np.float32).reshape(5, 9, 2)
    for running in (service, small):
        outputs = await infer(running, "score", [tensor("x", X), tensor("epsilon", epsilon)])
        close(outputs["log_weight"], tiny_bundle.log_weight(X, epsilon.astype(np.float64)))


async def test_sent_noise_of_a_seed_gives_the_seeds_answer(service):
    sent = [tensor("z", drawn("normal", "z", (2,)).astype(np.float32))]
    sent.append(tensor("pixel", drawn("logistic", "pixel", (2, 2)).astype(np.float32)))
    given, by_seed = await infer(service, "sample", sent), await infer(service, "sample", seed=SEED, num_samples=5)
    assert all(given[name].tobytes() == by_seed[name].tobytes() for name in by_seed)


@pytest.mark.parametrize("labels", [LABELS, [1]])
async def test_label_is_an_input_of_one_or_of_all_rows(service, labels):
    inputs = [tensor("x", X), tensor("label", np.array(labels))]
    outputs = await infer(service, "encode", inputs, model="labelled")
    close(outputs["z"], tiny_bundle.posterior(X, np.resize(labels, 5))[0])


async def test_labels_alone_say_how_many_samples(service):
    outputs = await infer(service, "sample", [tensor("label", np.array(LABELS))], model="labelled", seed=SEED)
    same = await service.ask("sample", "labelled", label=LABELS, num_samples=5, seed=SEED)
    assert outputs["x"].tobytes() == same["x"].tobytes()


@pytest.mark.parametrize("shape", [(5, 2, 2), (20,)])
async def test_data_is_nested_or_flat(service, shape):
    flat = tensor("x", X, data=X.reshape(shape).tolist())
    close((await infer(service, "encode", [flat]))["z"], tiny_bundle.posterior(X)[0])


async def test_binary_json_and_mixed_inputs_are_the_same(service):
    body = {"parameters": {"operation": "complete", "seed": SEED}}
    json_only = received(await send(service, body | {"inputs": [tensor("x", X), tensor("mask", MASK)]}))
    both = await send(service, body | {"inputs": [binary("x", X), binary("mask", MASK)]}, X, MASK)
    mixed = await send(service, body | {"inputs": [tensor("x", X), binary("mask", MASK)]}, MASK)
    swapped = await send(service, body | {"inputs": [binary("mask", MASK), binary("x", X)]}, MASK, X)
    for response in (both, mixed, swapped):
        assert received(response)["x"].tobytes() == json_only["x"].tobytes()


@pytest.mark.parametrize(
    ("for_all", "own", "expected"),
    [
        (None, None, False),
        (True, None, True),
        (False, None, False),
        (True, False, False),
        (None, True, True),
        (False, True, True),
    ],
)
async def test_output_is_binary_as_it_says_itself_or_else_the_request(service, for_all, own, expected):
    parameters = {"seed": SEED} | ({} if for_all is None else {"binary_data_output": for_all})
    output = {"name": "x"} | ({} if own is None else {"parameters": {"binary_data": own}})
    response = await send(service, {"parameters": parameters, "inputs": [], "outputs": [output]})
    assert (HEAD in response.headers) == expected
    types = {True: "application/octet-stream", False: "application/json"}
    assert response.headers["content-type"] == types[expected]
    assert list(received(response)) == ["x"]


async def test_outputs_come_in_the_order_asked_for_binary_beside_json(service):
    outputs = [
        {"name": "z", "parameters": {"binary_data": True}},
        {"name": "mean"},
        {"name": "x", "parameters": {"binary_data": True}},
    ]
    found = received(await send(service, {"parameters": {"seed": SEED}, "inputs": [], "outputs": outputs}))
    assert list(found) == ["z", "mean", "x"]
    same = await service.ask("sample", seed=SEED, outputs=["x", "z", "mean"])
    assert all(found[name].tobytes() == same[name].tobytes() for name in found)


async def test_answer_says_who_gave_it_and_how_to_have_it_again(service):
    response = await send(service, {"id": "my-id", "inputs": [], "parameters": {"index": 3}})
    answer = response.json()
    assert (answer["model_name"], answer["model_version"], answer["id"]) == ("tiny", "1", "my-id")
    assert (answer["parameters"]["operation"], answer["parameters"]["index"]) == ("sample", 3)
    assert response.headers["Reparam-Seed"] == str(answer["parameters"]["seed"])
    assert response.headers["Reparam-Model"] == "tiny/1"
    again = await infer(service, seed=answer["parameters"]["seed"], index=3)
    assert again["x"].tobytes() == received(response)["x"].tobytes()
    assert "id" not in (await send(service, {"inputs": []})).json()


async def test_version_may_be_named(service):
    response = await service.client.post("/v2/models/tiny/versions/1/infer", json={"inputs": []})
    assert response.status_code == 200
    response = await service.client.post("/v2/models/tiny/versions/2/infer", json={"inputs": []})
    check(response, 404, "unknown-model")


@pytest.mark.parametrize("content_type", [None, "application/octet-stream", "application/json", "text/plain"])
async def test_content_type_is_not_asked_for(service, content_type):
    headers = {"content-type": content_type} if content_type else {}
    assert received(await send(service, {"inputs": []}, headers=headers))


async def test_reserved_parameters_without_a_meaning_here_are_passed_over(service):
    parameters = {"sequence_id": "a", "sequence_start": True, "sequence_end": False, "priority": 3, "headers": 1}
    assert await infer(service, "sample", [], triton_anything=1, seed=SEED, **parameters)


async def test_what_is_not_finite_is_null_in_json_and_itself_in_binary(service, monkeypatch):
    x = np.float32([[[0, np.nan], [np.inf, -np.inf]]])

    async def run(*_):
        return {"x": x, "mean": x, "z": x[:, 0]}

    monkeypatch.setattr(ServedModel, "infer", run)
    body = {"inputs": [], "outputs": [{"name": "x"}]}
    assert (await send(service, body)).json()["outputs"][0]["data"] == [0, None, None, None]
    found = received(await send(service, body | {"parameters": {"binary_data_output": True}}))
    assert found["x"].tobytes() == x.tobytes()


REFUSED = {
    "an unknown operation": {"parameters": {"operation": "train"}},
    "an operation that is a verb only": {"parameters": {"operation": "interpolate"}},
    "an unknown parameter": {"parameters": {MARKER: 1}},
    "a seed that is no number": {"parameters": {"seed": "1"}},
    "a seed beyond 53 bits": {"parameters": {"seed": 2**53}},
    "true for one": {"parameters": {"num_samples": True}},
    "samples of a sample": {"parameters": {"samples": 3}},
    "rows of an encode": {"parameters": {"operation": "encode", "num_samples": 5}, "inputs": [tensor("x", X)]},
    "a temperature of a score": {"parameters": {"operation": "score", "temperature": 1}, "inputs": [tensor("x", X)]},
    "no x to encode": {"parameters": {"operation": "encode"}},
    "no mask to complete": {"parameters": {"operation": "complete"}, "inputs": [tensor("x", X)]},
    "an unknown input": {"inputs": [tensor(MARKER, X)]},
    "an input of another operation": {"inputs": [tensor("x", X)]},
    "the constants of a graph": {"inputs": [tensor("mask", MASK)]},
    "an input twice": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X), tensor("x", X)]},
    "a label for none": {"inputs": [tensor("label", np.array([1]))]},
    "another datatype": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, datatype="FP64")]},
    "booleans": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, datatype="BOOL")]},
    "bytes": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, datatype="BYTES")]},
    "another shape": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X.reshape(5, 4))]},
    "a shape without rows": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X[0])]},
    "no shape": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, shape=[])]},
    "a size of nought": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, shape=[0, 2, 2])]},
    "a negative size": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, shape=[-1, 2, 2])]},
    "a size that is no number": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, shape=[5.0, 2, 2])]},
    "fewer values than the shape": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, shape=[6, 2, 2])]},
    "nested otherwise": {
        "parameters": {"operation": "encode"},
        "inputs": [tensor("x", X, data=X.reshape(4, 5).tolist())],
    },
    "ragged data": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, data=[[1], [1, 2]])]},
    "true in data": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, data=[True] * 20)]},
    "text in data": {"parameters": {"operation": "encode"}, "inputs": [tensor("x", X, data=[MARKER] * 20)]},
    "values outside the support": {"parameters": {"operation": "score"}, "inputs": [tensor("x", X + 1)]},
    "no data": {"parameters": {"operation": "encode"}, "inputs": [{"name": "x", "shape": [1], "datatype": "FP32"}]},
    "data twice": {
        "parameters": {"operation": "encode"},
        "inputs": [tensor("x", X, parameters={"binary_data_size": 80})],
    },
    "rows that differ": {
        "parameters": {"operation": "complete"},
        "inputs": [tensor("x", X), tensor("mask", MASK[:4])],
    },
    "noise of other rows": {
        "parameters": {"operation": "encode"},
        "inputs": [tensor("x", X), tensor("epsilon", Z[:4])],
    },
    "noise of other rows than asked for": {"parameters": {"num_samples": 4}, "inputs": [tensor("z", Z)]},
    "noise without samples": {"parameters": {"operation": "score"}, "inputs": [tensor("x", X), tensor("epsilon", Z)]},
    "noise of other samples": {
        "parameters": {"operation": "score", "samples": 3},
        "inputs": [tensor("x", X), tensor("epsilon", np.zeros((5, 4, 2), np.float32))],
    },
    "an unknown output": {"outputs": [{"name": MARKER}]},
    "an output of another operation": {"outputs": [{"name": "log_variance"}]},
    "classes": {"outputs": [{"name": "x", "parameters": {"classification": 3}}]},
    "shared memory": {"outputs": [{"name": "x", "parameters": {"shared_memory_region": MARKER}}]},
    "an unknown field": {MARKER: 1},
    "inputs that are no list": {"inputs": {}},
    "many inputs": {"inputs": [tensor("z", Z)] * 17},
    "a timeout of nought": {"parameters": {"timeout": 0}},
}


@pytest.mark.parametrize("name", REFUSED)
async def test_what_does_not_fit_is_refused_and_not_repeated(service, name, monkeypatch):
    if name != "values outside the support":
        monkeypatch.setattr("service.batching.Batcher.run", pytest.fail)
    check(await send(service, {"inputs": []} | REFUSED[name]), 422, "invalid-input")


@pytest.mark.parametrize("labels", [[[1, 1]], [2], [-1], [1, 1], [2**40]])
async def test_labels_that_do_not_fit_are_refused(service, labels):
    inputs = [tensor("x", X), tensor("label", np.array(labels, np.int64))]
    body = {"parameters": {"operation": "encode"}, "inputs": inputs}
    check(await send(service, body, model="labelled"), 422, "invalid-input")


@pytest.mark.parametrize("data", [[1.0], [True], [2**63], ["1"], [None]])
async def test_labels_in_json_are_whole_numbers(service, data):
    given = {"name": "label", "shape": [1], "datatype": "INT64", "data": data}
    check(await send(service, {"inputs": [given]}, model="labelled"), 422, "invalid-input")


@pytest.mark.parametrize(
    ("body", "raw", "length"),
    [
        (b"", b"", None),
        (b"not json", b"", None),
        (b'{"inputs": []}', b"left over", 14),
        (b'{"inputs": []}', b"", 15),
        (b'{"inputs": []}', b"", "x"),
        (b'{"inputs": []', b"}", 13),
        (json.dumps({"inputs": [binary("z", Z)]}).encode(), b"", None),
        (json.dumps({"inputs": [binary("z", Z)]}).encode(), Z.tobytes()[:-1], ...),
        (json.dumps({"inputs": [binary("z", Z)]}).encode(), Z.tobytes() + b"\0", ...),
        (b"[" * 33 + b"]" * 33, b"", None),
    ],
)
async def test_broken_frame_is_malformed(service, body, raw, length):
    headers = {} if length is None else {HEAD: str(len(body) if length is ... else length)}
    check(await service.client.post(URL, content=body + raw, headers=headers), 400, "malformed-body")


@pytest.mark.parametrize(
    ("size", "shape", "sent"),
    [(8, [2**40], 8), (8, [2**33, 2**33, 2], 8), (0, [5, 2], 0), (40, [5, 3], 40), (40, [4, 2], 40)],
)
async def test_bytes_that_do_not_fill_the_shape_are_refused(service, size, shape, sent):
    given = binary("z", Z) | {"shape": shape, "parameters": {"binary_data_size": size}}
    response = await send(service, {"inputs": [given]}, np.zeros(sent, np.uint8))
    check(response, 422, "invalid-input")


async def test_binary_values_that_are_not_finite_are_refused(service):
    z = np.float32([[0, np.nan]])
    check(await send(service, {"inputs": [binary("z", z)]}, z), 422, "invalid-input")


async def test_limits_are_those_of_the_verbs(small):
    check(await send(small, {"inputs": [], "parameters": {"num_samples": 21}}), 422, "limit-exceeded")
    x = np.zeros((21, 2, 2), np.float32)
    encode = {"parameters": {"operation": "encode"}, "inputs": [binary("x", x)]}
    check(await send(small, encode, x), 422, "limit-exceeded")
    for samples, rows in ((13, 1), (12, 5)):
        x = np.zeros((rows, 2, 2), np.float32)
        score = {"parameters": {"operation": "score", "samples": samples}, "inputs": [tensor("x", x)]}
        check(await send(small, score), 422, "limit-exceeded")


async def test_json_over_its_limit_is_too_large_also_before_binary_data(service):
    content = b'{"inputs": []}'.ljust(5_000_000)
    check(await service.client.post(URL, content=content), 413, "body-too-large")
    response = await service.client.post(URL, content=content + b"a", headers={HEAD: str(len(content))})
    check(response, 413, "body-too-large")


async def test_packed_body_is_refused(service):
    response = await send(service, {"inputs": []}, headers={"content-encoding": "gzip"})
    check(response, 415, "unsupported-media-type")


async def test_capability_is_refused_in_the_models_terms(service):
    response = await send(service, {"inputs": [], "parameters": {"operation": "sample"}}, model="autoencoder")
    check(response, 422, "capability-not-supported")


async def test_timeout_of_the_request_is_a_deadline_in_microseconds(service, monkeypatch):
    async def never(*_):
        await asyncio.sleep(60)

    monkeypatch.setattr(ServedModel, "infer", never)
    check(await send(service, {"inputs": [], "parameters": {"timeout": 20_000}}), 504, "deadline-passed")
