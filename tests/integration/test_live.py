"""Every verb of every model over the wire, with the promises that a seed, a score and a mean make."""

import asyncio
import itertools
import re

import httpx
import numpy as np
import pytest

from models.repository import SHIPPED, Repository
from tests.integration.conftest import CAN, EXACT, MANIFESTS, Model, those_that
from tests.live_server import ROOT, live_server

SEED = 20
DRAWS = 100_000


def binary(model, rows=4):
    """Rows that any support takes: of nothing but two values, the ends of a range."""
    low, high = model.metadata["x"]["range"] or (-1, 1)
    shape = (rows, *model.metadata["shapes"]["x"])
    return np.where(np.random.default_rng(0).random(shape) < 0.5, low, high).tolist()


def test_there_is_a_bundle_for_every_recipe_and_all_together_stay_small():
    shipped = {name for name, _ in Repository(SHIPPED).list()}
    assert shipped == {path.stem for path in (ROOT / "training" / "recipes").iterdir()}
    assert sum(file.stat().st_size for file in SHIPPED.rglob("*") if file.is_file()) <= 60e6


def test_graphs_of_every_bundle_hold_at_most_five_megabytes_of_parameters():
    for name, manifest in MANIFESTS.items():
        assert max(manifest.digests[graph].bytes for graph in manifest.graphs) <= 5e6, name


def test_bounds_of_every_bundle_rise_with_the_samples():
    for name, manifest in MANIFESTS.items():
        by_examples = {}
        for figure, measured in manifest.provenance.figures.items():
            if match := re.fullmatch(r"bound_(\d+)", figure):
                by_examples.setdefault(measured.examples, {})[int(match[1])] = measured.value
        for bounds in by_examples.values():
            assert [bounds[samples] for samples in sorted(bounds)] == sorted(bounds.values()), name


def test_every_bundle_is_ready(client, repository):
    listed = client.get("/v2/models").json()["models"]
    assert {entry["name"] for entry in listed} == {folder.name for folder in repository.iterdir()}
    assert {entry["state"] for entry in listed} == {"READY"}, listed


REQUESTS = {
    "sample": (["sample"], lambda model: {"num_samples": 3}, 3),
    "encode": (["encode"], lambda model: {"x": binary(model)}, 4),
    "decode": (["decode"], lambda model: {"z": np.zeros((2, *model.metadata["shapes"].get("z", [1]))).tolist()}, 2),
    "reconstruct": (["encode", "decode"], lambda model: {"x": binary(model)}, 4),
    "interpolate": (["encode", "decode"], lambda model: dict(zip(("start", "end"), ends(model), strict=True)), 8),
    "traverse": (
        ["encode", "decode"],
        lambda model: {"origin": ends(model)[0], "dimension": 0, "values": [-1, 0, 1]},
        3,
    ),
    "score": (["score"], lambda model: {"x": binary(model), "samples": 8}, 4),
    "complete": (["complete"], lambda model: {"x": binary(model), "mask": np.zeros_like(binary(model)).tolist()}, 4),
    "criticize": (["criticize"], lambda model: {"x": binary(model)}, 4),
}


def ends(model):
    return [{"x": row} for row in binary(model)[:2]]


SUPPORTED = [(name, verb) for verb, (needed, _, _) in REQUESTS.items() for name in those_that(*needed)]
MISSING = [(name, verb) for verb in REQUESTS for name in CAN if (name, verb) not in SUPPORTED]


@pytest.mark.parametrize(("model", "verb"), SUPPORTED, indirect=["model"])
def test_verb_that_the_model_has_answers(model, verb):
    _, body, rows = REQUESTS[verb]
    response = model.post(verb, seed=SEED, **body(model))
    assert response.status_code == 200, response.text
    answer = response.json()
    assert answer["model"] == model.name
    assert {"x", "z", "rows", "realness"} & set(answer)
    for name in {"x", "z", "rows", "realness"} & set(answer):
        assert len(answer[name]) == rows
    for name in {"x", "z"} & set(answer):
        assert list(np.shape(answer[name])) == [rows, *model.metadata["shapes"][name]]


@pytest.mark.parametrize(("model", "verb"), MISSING, indirect=["model"])
def test_verb_that_the_model_lacks_is_refused_as_not_supported(model, verb):
    response = model.post(verb, seed=SEED, **REQUESTS[verb][1](model))
    assert response.status_code == 422
    assert response.json()["type"] == "urn:reparam:capability-not-supported"
    assert sorted(response.json()["operations"]) == sorted(CAN[model.name])


def drawing(model):
    """A verb that draws, and a request for four rows of it."""
    if "sample" in CAN[model.name]:
        return "sample", {"num_samples": 4}
    return "decode", {"z": np.zeros((4, *model.metadata["shapes"]["z"])).tolist(), "temperature": 1}


def test_same_seed_gives_the_same_bytes_alone_and_in_a_crowd(model, address):
    verb, body = drawing(model)
    alone = [model.post(verb, seed=seed, **body).content for seed in range(64)]
    assert len(set(alone)) == 64
    assert asyncio.run(_crowd(address, model, verb, body)) == alone


async def _crowd(address, model, verb, body):
    """The bytes that 64 concurrent callers get, each with a seed of its own."""
    async with httpx.AsyncClient(base_url=address, timeout=120, limits=httpx.Limits(max_connections=64)) as client:
        bodies = [model.given | {"seed": seed} | body for seed in range(64)]
        calls = [client.post(f"/v2/models/{model.name}/{verb}", json=given) for given in bodies]
        return [answer.content for answer in await asyncio.gather(*calls)]


def test_same_seed_gives_the_same_bytes_after_a_restart(client, repository):
    with live_server(repository=repository, device="cpu") as server, server.client() as another:
        server.wait_until_ready()
        for folder in repository.iterdir():
            before, after = (Model(server, folder.name) for server in (client, another))
            verb, body = drawing(before)
            for seed in range(4):
                assert before.post(verb, seed=seed, **body).content == after.post(verb, seed=seed, **body).content


@pytest.mark.parametrize("model", those_that("sample"), indirect=True)
def test_rows_by_index_are_those_of_a_longer_draw(model):
    whole = model.ask("sample", seed=SEED, num_samples=10)
    part = model.ask("sample", seed=SEED, num_samples=5, index=5)
    for name in {"x", "z"} & set(whole):
        assert part[name].tobytes() == whole[name][5:].tobytes()


@pytest.mark.parametrize("model", those_that("sample", "score"), indirect=True)
def test_every_sample_is_accepted_by_score(model):
    for temperature, seed in itertools.product((0, 0.5, 1, 2), range(3)):
        x = model.ask("sample", num_samples=50, seed=seed, temperature=temperature)["x"]
        rows = model.ask("score", x=x.tolist(), samples=2)["rows"]
        assert len(rows) == 50
        assert {row["reason"] for row in rows} == {None}


@pytest.mark.parametrize("model", ["tiny", "vae-digits"], indirect=True)
def test_pixel_frequencies_at_a_fixed_code_are_its_mean(model):
    """Of the models with few pixels; those of 28x28 are counted in process, by test_frequencies."""
    code = model.ask("sample", seed=SEED)["z"]
    mean = model.ask("decode", z=code.tolist(), outputs=["mean"])["mean"][0].astype(np.float64)
    total, squares = np.zeros_like(mean), np.zeros_like(mean)
    for index in range(0, DRAWS, 4000):
        z = np.repeat(code, min(4000, DRAWS - index), axis=0).tolist()
        x = model.ask("decode", z=z, seed=SEED, index=index, temperature=1)["x"].astype(np.float64)
        total += x.sum(axis=0)
        squares += (x**2).sum(axis=0)
    low, high = model.metadata["x"]["range"] or (-1, 1)
    levels = high - low  # Bernoulli for one level, binomial for more: variance p(1-p) a level
    share = (mean - low) / levels
    error = np.sqrt(levels * share * (1 - share) / DRAWS)
    assert (np.abs(total / DRAWS - mean) <= 4 * error + 1e-9 + 1e-6 * levels).all()


@pytest.mark.parametrize("model", sorted({*those_that("sample", "score")} - EXACT), indirect=True)
def test_bound_lies_above_the_elbo_and_rises_with_the_samples(model):
    x = model.ask("sample", num_samples=100, seed=SEED)["x"].tolist()
    bounds, errors = [], []
    for samples in (1, 5, 50, 200):
        rows = model.ask("score", x=x, samples=samples, seed=samples)["rows"]
        elbo, bound = (np.array([row[name] for row in rows]) for name in ("elbo", "importance_weighted_bound"))
        if samples > 1:
            assert (bound - elbo).mean() > 0
        bounds.append(bound)
    for lower, higher in itertools.pairwise(bounds):
        gain = higher - lower
        errors.append(gain.std(ddof=1) / np.sqrt(len(gain)))
        assert gain.mean() > -4 * errors[-1]
    assert bounds[-1].mean() > bounds[0].mean() + 4 * errors[0]


def test_temperature_zero_ignores_the_seed(model):
    verb, body = drawing(model)
    if "decode" in CAN[model.name]:
        verb, body = "decode", {"z": np.ones((3, *model.metadata["shapes"]["z"])).tolist()}
    one, other = [model.post(verb, **body | {"seed": seed, "temperature": 0}).content for seed in (1, 2)]
    assert one.replace(b'"seed":1', b'"seed":2') == other


def test_health_and_metrics_answer_over_the_wire(client):
    assert client.get("/livez").json() == {"status": "alive"}
    assert client.get("/readyz").json() == {"status": "ready"}
    assert 'reparam_model_state{model="tiny",state="READY",version="1"} 1.0' in client.get("/metrics").text
    assert client.get("/openapi.json").json()["info"]["title"] == "Reparam"


def test_body_over_the_limit_is_refused_and_the_server_lives_on(client):
    headers = {"content-type": "application/json"}
    for content in (b" " * 5_000_000, (b" " * 2**16 for _ in range(80))):
        response = client.post("/v2/models/tiny/sample", content=content, headers=headers)
        assert response.status_code == 413
        assert response.headers["content-type"] == "application/problem+json"
    assert client.post("/v2/models/tiny/sample", json={}).status_code == 200
