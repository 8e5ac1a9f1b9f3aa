"""npy, PNG and lines over the wire, of every shipped model; and what is broken costs a refusal, never the server."""

import io
import json
import re

import numpy as np
import psutil
import pytest
from PIL import Image

from tests import tiny_bundle
from tests.integration.conftest import MANIFESTS, those_that
from tests.integration.test_live import REQUESTS, SEED, SUPPORTED
from tests.live_server import live_server
from tests.service.encoding.test_png import chunk, image

NPY = {"content-type": "application/x-npy"}
PNG = {"content-type": "image/png"}
LINES = {"accept": "application/x-ndjson"}
PICTURES = [name for name in those_that("sample") if name in MANIFESTS and MANIFESTS[name].x.kind == "image"]


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def loaded(response):
    assert response.status_code == 200, response.text
    return np.load(io.BytesIO(response.content), allow_pickle=False)


@pytest.mark.parametrize(("model", "verb"), SUPPORTED, indirect=["model"])
def test_npy_answer_is_the_json_answer(model, verb, client):
    body = REQUESTS[verb][1](model) | model.given | {"seed": SEED}
    response = client.post(f"/v2/models/{model.name}/{verb}", json=body, headers={"accept": "application/x-npy"})
    if verb == "score":
        assert response.status_code == 406
        return
    answer = model.ask(verb, seed=SEED, **REQUESTS[verb][1](model))
    first = next(name for name in ("x", "z", "realness") if name in answer)
    assert loaded(response).tobytes() == answer[first].tobytes()


@pytest.mark.parametrize("model", those_that("sample", "score"), indirect=True)
def test_drawn_npy_is_scored_as_it_is(model, client):
    url, label = f"/v2/models/{model.name}", "".join(f"&label={label}" for label in model.given.values())
    drawn = client.post(
        f"{url}/sample", json={"seed": SEED, "num_samples": 8} | model.given, headers={"accept": NPY["content-type"]}
    )
    scored = client.post(f"{url}/score?seed=1&samples=4{label}", content=drawn.content, headers=NPY)
    assert scored.status_code == 200, scored.text
    assert scored.json()["rows"] == model.ask("score", x=loaded(drawn).tolist(), seed=1, samples=4)["rows"]


@pytest.mark.parametrize("model", PICTURES, indirect=True)
def test_picture_of_a_draw_is_that_draw(model, client):
    url = f"/v2/models/{model.name}/sample?outputs=x"
    picture = client.post(url, json={"seed": SEED} | model.given, headers={"accept": "image/png"})
    assert picture.headers["content-type"] == "image/png"
    drawn = model.ask("sample", seed=SEED)["x"]
    verb = next(verb for verb in ("encode", "score", "criticize") if verb in model.metadata["operations"])
    label = "".join(f"&label={label}" for label in model.given.values())
    given = client.post(f"/v2/models/{model.name}/{verb}?seed=1{label}", content=picture.content, headers=PNG)
    assert given.status_code == 200, given.text
    assert given.content == model.post(verb, seed=1, x=drawn.tolist()).content


@pytest.mark.parametrize("model", PICTURES, indirect=True)
def test_picture_is_a_grid_of_the_models_images(model, client):
    height, width = model.metadata["shapes"]["x"][-2:]
    response = client.post(
        f"/v2/models/{model.name}/sample", json={"num_samples": 10} | model.given, headers={"accept": "image/png"}
    )
    with Image.open(io.BytesIO(response.content)) as grid:
        assert grid.size == (4 * width, 3 * height)


@pytest.mark.parametrize("model", [*those_that("sample", "decode"), "ar-digits"], indirect=True)
def test_lines_of_a_long_draw_are_its_rows(model):
    asked = model.given | {"seed": SEED, "num_samples": 600, "outputs": ["x"]}
    url = f"/v2/models/{model.name}/sample"
    with model.client.stream("POST", url, json=asked, headers=LINES) as response:
        rows = [json.loads(line) for line in response.iter_lines()]
    assert [row["index"] for row in rows] == list(range(600))
    whole = model.ask("sample", seed=SEED, num_samples=600, outputs=["x"])["x"]
    assert (np.float32([row["x"] for row in rows]) == whole).all()


@pytest.fixture(scope="module")
def lone(tmp_path_factory):
    """A server of its own, whose memory nobody else uses."""
    root = tmp_path_factory.mktemp("lone")
    tiny_bundle.publish(root)
    with live_server(repository=root, device="cpu") as server:
        server.wait_until_ready()
        yield server


def memory(server):
    return psutil.Process(server.pid).memory_info().rss


Z = {"name": "z", "shape": [4, 2], "datatype": "FP32", "parameters": {"binary_data_size": 32}}
HEAD = json.dumps({"inputs": [Z]}).encode()
BOMB = image(13_000, 13_000, 8, 2, data=bytes(39_001))


def test_bombs_are_refused_and_cost_no_memory(lone):
    huge = saved(np.zeros(2, np.float32)).replace(b"(2,), }" + b" " * 20, b"(8589934592, 8589934592), }")
    assert b"8589934592" in huge
    with lone.client() as client:
        for _ in range(20):
            client.post("/v2/models/tiny/encode", content=saved(np.zeros((4, 2, 2))), headers=NPY)
        before = memory(lone)
        for _ in range(20):
            assert client.post("/v2/models/tiny/encode", content=BOMB, headers=PNG).status_code == 422
            assert client.post("/v2/models/tiny/encode", content=huge, headers=NPY).status_code == 400
        assert memory(lone) - before <= 4 * 2**20


def test_reader_who_leaves_costs_the_server_nothing_further(lone):
    """4,096 rows are 16 runs; each reader takes a line and goes, and then the server stops within a run or two."""
    asked = {"num_samples": 4096, "outputs": ["x", "z", "mean"]}
    with lone.client() as client:
        before = runs(client)
        for _ in range(4):
            with client.stream("POST", "/v2/models/tiny/sample", json=asked, headers=LINES) as response:
                assert json.loads(next(response.iter_lines()))["index"] == 0
        client.post("/v2/models/tiny/sample", json={})
        assert runs(client) - before < 4 * 16


def runs(client):
    [line] = re.findall(
        r'^reparam_batch_rows_count\{graph="decode".*\} (.*)$', client.get("/metrics").text, re.MULTILINE
    )
    return float(line)


@pytest.mark.parametrize(
    ("path", "headers", "whole"),
    [
        ("encode", NPY, saved(np.zeros((4, 2, 2), np.float32))),
        ("decode", NPY, saved(np.zeros((4, 2)))),
        ("encode", PNG, image(2, 2)),
        ("score", PNG, image(2, 2, more=chunk(b"tEXt", b"a\0b"))),
        ("infer", {"inference-header-content-length": str(len(HEAD))}, HEAD + bytes(32)),
    ],
    ids=["npy x", "npy z", "png", "png with text", "frame"],
)
def test_mutants_get_no_server_error(lone, path, headers, whole):
    rng = np.random.default_rng(0)
    answered = []
    with lone.client() as client:
        for _ in range(300):
            body = bytearray(whole)
            for at in rng.integers(0, len(body), rng.integers(1, 7)):
                body[at] = rng.integers(256)
            body = bytes(body[: rng.integers(len(body)) if rng.random() < 0.2 else None])
            response = client.post(f"/v2/models/tiny/{path}", content=body, headers=headers)
            answered.append(response.status_code)
            assert response.status_code < 500, response.text
            assert response.status_code == 200 or len(response.content) <= 4096
        assert client.get("/livez").status_code == 200
    assert {400} < set(answered) <= {200, 400, 413, 422}
