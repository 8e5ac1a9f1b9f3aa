"""Plain JSON takes a short way to the verbs; what comes out is what their routes give."""

import re

import numpy as np
import pytest

from service.routes.hot import VERBS, Hot
from tests.service.conftest import serving
from tests.service.test_reproducibility import CODES, NOISY, PATHS, ROWS, body

ROUTED = {"Accept": "application/json;q=0.9"}  # a caller with wishes is left to the routes
WRONG = {
    "unknown field": {"json": {"seeds": 1}},
    "wrong type": {"json": {"seed": True}},
    "no object": {"json": [1]},
    "null": {"content": b"null"},
    "empty": {"content": b""},
    "not JSON": {"content": b"{"},
    "NaN": {"content": b'{"seed": NaN}'},
    "too deep": {"content": b"[" * 33 + b"]" * 33},
    "over a limit": {"json": {"num_samples": 10**6}},
    "unknown output": {"json": {"outputs": ["y"]}},
    "too large": {"content": b" " * (4 * 2**20 + 1)},
}


@pytest.fixture
def counted(monkeypatch):
    """The questions that take the short way."""
    taken = []
    answer = Hot._answer

    async def count(self, question, request):
        taken.append(question)
        return await answer(self, question, request)

    monkeypatch.setattr(Hot, "_answer", count)
    return taken


async def ask(service, verb, headers=None, model="tiny", **content):
    headers = {"Content-Type": "application/json", "X-Request-ID": "same"} | (headers or {})
    return await service.client.post(f"/v2/models/{model}/{verb}", headers=headers, **content)


def seen(response):
    """All that a caller sees, but for times."""
    timing = re.sub("[0-9.]+", "", response.headers["server-timing"])
    return response.status_code, response.content, {**response.headers, "server-timing": timing}


def test_every_verb_has_the_short_way():
    assert set(VERBS) == {*NOISY, *PATHS, "criticize"}


@pytest.mark.parametrize("version", ["", "/versions/1"])
@pytest.mark.parametrize("kind", ["application/json", "application/x-npy"])
@pytest.mark.parametrize("verb", [*NOISY, *PATHS, "criticize"])
async def test_short_way_and_route_give_the_same(service, counted, verb, kind, version):
    asked = {"seed": 3, "x": ROWS} if verb == "criticize" else {"seed": 3, **body(verb)}
    accepts = [{"Accept": kind}, {"Accept": f"{kind};q=0.9"}]
    short, routed = [await ask(service, verb, headers, f"tiny{version}", json=asked) for headers in accepts]
    assert short.status_code == (200 if kind in VERBS[verb].offers else 406)
    assert seen(short) == seen(routed)
    assert len(counted) == (kind in VERBS[verb].offers)


@pytest.mark.parametrize("headers", [{}, ROUTED])
@pytest.mark.parametrize("verb", ["encode", "reconstruct", "score", "complete", "criticize", "decode"])
async def test_digits_are_answered_as_any_numbers_are(service, verb, headers):
    """They are read another way; a field that a verb lacks is refused in the same words."""
    x = np.random.default_rng(0).integers(0, 2, (100, 2, 2))
    tensors = {"x": x, "mask": 1 - x} if verb == "complete" else {"x": x}
    answers = [
        await ask(service, verb, headers, json={"seed": 3} | {name: given.tolist() for name, given in kinds.items()})
        for kinds in (tensors, {name: given.astype(float) for name, given in tensors.items()})
    ]
    assert seen(answers[0]) == seen(answers[1])
    assert answers[0].status_code == (422 if verb == "decode" else 200)


@pytest.mark.parametrize("wrong", WRONG)
async def test_short_way_and_route_refuse_alike(service, counted, wrong):
    short, routed = [await ask(service, "sample", headers, **WRONG[wrong]) for headers in ({}, ROUTED)]
    assert short.status_code >= 400
    if wrong != "null":  # which the routes take for no body
        assert seen(short) == seen(routed)
    assert (short.status_code, short.json()["type"]) == (routed.status_code, routed.json()["type"])
    assert len(counted) == 1


@pytest.mark.parametrize(("asked", "counts"), [({"num_samples": 3}, (1, 0, 3)), ({"num_samples": 0}, (0, 1, 0))])
async def test_short_way_counts_as_the_route_does(repository, counted, asked, counts):
    async with serving(repository) as service:
        tally = service.app.state.statistics.of("tiny", "1")
        for times, headers in ((1, {}), (2, ROUTED)):
            response = await ask(service, "sample", headers, json=asked)
            assert (tally.answered, tally.failed, tally.rows) == tuple(times * count for count in counts)
            labels = f'code="{response.status_code}",model="tiny",operation="sample",version="1"'
            assert (await service.series())[f"reparam_requests_total{{{labels}}}"] == times
    assert len(counted) == 1


@pytest.mark.parametrize("model", ["nobody", "tiny/versions/2", "autoencoder"])
async def test_absent_models_and_operations_are_refused_alike(service, model):
    short, routed = [await ask(service, "sample", headers, model, json={}) for headers in ({}, ROUTED)]
    assert short.status_code in (404, 422)
    assert seen(short) == seen(routed)


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Encoding": "gzip"},
        {"Accept": "image/webp"},
        {"Accept": "text/html, */*"},
        {"Accept": "image/png"},
        {"Content-Type": "application/json; charset=utf-8"},
    ],
)
async def test_what_is_not_plain_json_is_left_to_the_routes(service, counted, headers):
    await ask(service, "decode", headers, json={"z": CODES})
    assert counted == []


async def test_limits_of_a_model_hold_on_the_short_way(repository, counted):
    async with serving(repository, limits={"tiny": {"request_steps": 3}}) as service:
        assert (await ask(service, "interpolate", json=PATHS["interpolate"])).status_code == 422
    assert len(counted) == 1
