"""Rows as npy and PNG: the same numbers in and out as in JSON, and refusals before anything is run."""

import io

import numpy as np
import pytest
from PIL import Image

from service.served_model import ServedModel
from tests.service.conftest import serving
from tests.service.test_errors import MARKER, check
from tests.service.test_generative import X, Z
from tests.service.test_reproducibility import NOISY, PATHS, body

NPY = {"content-type": "application/x-npy"}
PNG = {"content-type": "image/png"}
VERBS = {
    "encode": ("x", X, "temperature=1"),
    "decode": ("z", Z, "temperature=1"),
    "reconstruct": ("x", X, "temperature=1"),
    "score": ("x", X, "samples=4"),
    "criticize": ("x", X, ""),
}


def url(verb, query="", model="tiny"):
    return f"/v2/models/{model}/{verb}?seed=3&index=2&{query}"


def saved(array):
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def loaded(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-npy"
    return np.load(io.BytesIO(response.content), allow_pickle=False)


def pixels(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(response.content)) as image:
        return np.asarray(image)


@pytest.fixture
def no_run(monkeypatch):
    """Whatever is refused has to be refused before it is queued."""

    async def run(*_):
        pytest.fail("it was run")

    monkeypatch.setattr(ServedModel, "_run", run)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("kind", ["<f4", "<f8", "<i8", "|u1", "fortran"])
async def test_rows_as_npy_are_answered_as_rows_in_json(service, verb, kind):
    name, array, query = VERBS[verb]
    if array is Z and kind not in ("<f4", "fortran"):
        array = np.abs(np.rint(array))
    same = await service.client.post(url(verb, query), json={name: array.tolist()})
    written = np.asfortranarray(array) if kind == "fortran" else array.astype(kind)
    response = await service.client.post(url(verb, query), content=saved(written), headers=NPY)
    assert response.status_code == 200, response.text
    assert response.content == same.content


@pytest.mark.parametrize("verb", [verb for verb in [*NOISY, *PATHS] if verb != "score"])
async def test_answer_as_npy_is_the_first_output_bit_for_bit(service, verb):
    accept = {"accept": "application/x-npy"}
    asked = body(verb)
    answer = await service.ask(verb, seed=3, **asked)
    first = next(name for name in ("x", "z") if name in answer)
    assert loaded(await service.post(verb, headers=accept, seed=3, **asked)).tobytes() == answer[first].tobytes()
    outputs = ["mean"] if verb != "complete" else ["x"]
    named = (await service.ask(verb, seed=3, outputs=outputs, **asked))[outputs[0]]
    response = await service.client.post(
        f"/v2/models/tiny/{verb}?outputs={outputs[0]}", json=asked | {"seed": 3}, headers=accept
    )
    assert loaded(response).tobytes() == named.tobytes()


async def test_critic_answers_npy_too(service):
    realness = (await service.ask("criticize", x=X.tolist()))["realness"]
    response = await service.post("criticize", headers={"accept": "application/x-npy"}, x=X.tolist())
    assert loaded(response).tobytes() == realness.tobytes()


async def test_what_is_not_finite_leaves_in_npy_as_it_is(service, monkeypatch):
    x = np.float32([[[0, np.nan], [np.inf, -np.inf]]])

    async def sample(*_):
        return {"x": x, "z": x[:, 0]}

    monkeypatch.setattr(ServedModel, "sample", sample)
    assert loaded(await service.post("sample", headers={"accept": "application/x-npy"})).tobytes() == x.tobytes()


async def test_binary_answer_says_who_gave_it(service):
    for accept in ("application/json", "application/x-npy", "image/png", "application/x-ndjson"):
        response = await service.post("sample", headers={"accept": accept}, seed=5)
        assert response.headers["content-type"] == accept
        assert response.headers["Reparam-Model"] == "tiny/1"
        assert response.headers["Reparam-Seed"] == "5"
        assert len(response.headers["Reparam-Digest"]) == 64
        assert response.headers["Server-Timing"].startswith("queue;dur=")


def png(image):
    file = io.BytesIO()
    Image.fromarray(np.uint8(image)).save(file, "PNG")
    return file.getvalue()


@pytest.mark.parametrize("verb", ["encode", "reconstruct", "score", "criticize"])
async def test_image_is_one_row(service, verb):
    query = VERBS[verb][2]
    same = await service.client.post(url(verb, query), json={"x": X[:1].tolist()})
    response = await service.client.post(url(verb, query), content=png(255 * X[0]), headers=PNG)
    assert response.content == same.content


async def test_picture_is_the_grid_of_the_means(service):
    mean = (await service.ask("sample", seed=3, num_samples=5, outputs=["mean"]))["mean"]
    grid = pixels(await service.post("sample", headers={"accept": "image/png"}, seed=3, num_samples=5))
    assert grid.shape == (4, 6)
    for i, image in enumerate(mean):
        row, column = 2 * (i // 3), 2 * (i % 3)
        assert (grid[row : row + 2, column : column + 2] == np.rint(255 * image.astype(np.float64))).all()


async def test_picture_is_of_x_where_there_is_no_mean_or_where_it_is_asked_for(service):
    accept = {"accept": "image/png"}
    asked = {"x": X[:1].tolist(), "mask": np.zeros((1, 2, 2)).tolist(), "seed": 3}
    x = (await service.ask("complete", **asked))["x"]
    assert (pixels(await service.post("complete", headers=accept, **asked)) == 255 * x[0]).all()
    x = (await service.ask("sample", seed=3))["x"]
    assert (pixels(await service.post("sample", headers=accept, seed=3, outputs=["x"])) == 255 * x[0]).all()
    check(await service.post("sample", headers=accept, outputs=["z"]), 422, "invalid-input")


async def test_picture_out_is_the_same_row_in(service):
    drawn = await service.ask("sample", seed=3)
    picture = await service.client.post(url("sample", "outputs=x"), json={}, headers={"accept": "image/png"})
    given = await service.client.post(url("encode"), content=picture.content, headers=PNG)
    same = await service.client.post(url("sample", "outputs=x"), json={})
    again = await service.client.post(url("encode"), json={"x": same.json()["x"]})
    assert given.content == again.content
    assert drawn["x"].shape == (1, 2, 2)


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("array", "status", "kind"),
    [
        (X.astype(">f4"), 422, "invalid-input"),
        (X.astype(bool), 422, "invalid-input"),
        (X.astype(object), 422, "invalid-input"),
        (X.astype(np.float16), 422, "invalid-input"),
        (X[0], 422, "invalid-input"),
        (X[:0], 422, "invalid-input"),
        (X[:, :, :1], 422, "invalid-input"),
        (np.float32(0), 422, "invalid-input"),
        (np.zeros((4097, 2, 2), np.uint8), 422, "limit-exceeded"),
        (np.full((1, 2, 2), np.nan, np.float32), 422, "invalid-input"),
    ],
    ids=str,
)
async def test_npy_that_does_not_fit_is_refused_before_it_is_run(service, array, status, kind):
    check(await service.client.post(url("encode"), content=saved(array), headers=NPY), status, kind)


async def test_npy_with_values_outside_the_support_is_refused(service):
    for value in (2, -1, 0.5):
        content = saved(np.full((1, 2, 2), value))
        check(await service.client.post(url("score"), content=content, headers=NPY), 422, "invalid-input")


@pytest.mark.usefixtures("no_run")
@pytest.mark.parametrize(
    ("content", "status", "kind"),
    [
        (b"", 400, "malformed-body"),
        (MARKER.encode(), 400, "malformed-body"),
        (png(np.zeros((2, 2)))[:-5], 400, "malformed-body"),
        (png(np.zeros((2, 3))), 422, "invalid-input"),
        (png(np.zeros((2, 2, 3))), 422, "invalid-input"),
        (png(np.zeros((2, 2, 4))), 422, "invalid-input"),
        (png(np.full((2, 2), 128)), 422, "invalid-input"),
        (png(np.zeros((2000, 2001))), 422, "limit-exceeded"),
        (png(np.zeros((2, 2))) + bytes(2**17), 413, "body-too-large"),
    ],
    ids=["nothing", "text", "cut", "wide", "colours", "alpha", "grey", "huge", "long"],
)
async def test_png_that_does_not_fit_is_refused_before_it_is_run(service, content, status, kind):
    check(await service.client.post(url("encode"), content=content, headers=PNG), status, kind)


@pytest.mark.parametrize(("content", "headers"), [(saved(X), NPY), (png(np.zeros((2, 2))), PNG)])
async def test_body_for_a_model_that_is_missing_or_cannot(service, content, headers):
    check(
        await service.client.post(url("score", "", "missing"), content=content, headers=headers), 404, "unknown-model"
    )
    response = await service.client.post(url("score", "", "autoencoder"), content=content, headers=headers)
    check(response, 422, "capability-not-supported")


@pytest.mark.parametrize("headers", [NPY, PNG])
async def test_binary_body_over_its_limit_is_refused(repository, headers):
    async with serving(repository, body_bytes=1000) as service:
        problem = check(
            await service.client.post(url("encode"), content=bytes(1001), headers=headers), 413, "body-too-large"
        )
        assert "1,000 bytes" in problem["detail"]
        assert (await service.client.post(url("encode"), content=saved(X), headers=NPY)).status_code == 200
