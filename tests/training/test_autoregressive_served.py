"""An autoregressive model over HTTP: what is kept stays, a seed and an index name a row, a score is exact."""

import asyncio
import shutil

import numpy as np
import pytest

from tests.service.conftest import serving
from tests.training.conftest import MEMBERS, examples

ONE_ORDER = ["autoregressive-bernoulli", "autoregressive-gaussian", "autoregressive-rows"]
SERVED = [*ONE_ORDER, "autoregressive-mixture"]
ROWS, SEED = 9, 5


@pytest.fixture
def served(trained, tmp_path):
    """served(member): a service of that member alone."""

    def serve(member):
        shutil.copytree(trained(member).folder, tmp_path / member / "1")
        return serving(tmp_path)

    return serve


def x_of(member):
    return examples(MEMBERS[member].likelihood, rows=ROWS).astype(np.float32)


def some(x):
    """A mask of holes, other ones in each row."""
    return (np.random.default_rng(0).random(x.shape) < 0.5).astype(np.float32)


def first(x, values):
    """A mask that keeps so many values of each row, from the first on."""
    return np.broadcast_to(np.arange(x[0].size) < values, (len(x), x[0].size)).reshape(x.shape).astype(np.float32)


@pytest.mark.parametrize("member", ONE_ORDER)
async def test_complete_leaves_what_is_kept_as_it_is_bit_for_bit(served, member):
    x = x_of(member)
    async with served(member) as service:
        for mask in (some(x), first(x, 5), 1 - first(x, 5), np.ones_like(x)):
            asked = {"x": x.tolist(), "mask": mask.tolist(), "seed": SEED}
            completed = (await service.ask("complete", member, **asked))["x"]
            assert completed[mask == 1].tobytes() == x[mask == 1].tobytes()
            assert (mask == 1).all() or (completed[mask == 0] != x[mask == 0]).any()


@pytest.mark.parametrize("member", ONE_ORDER)
async def test_conditioning_is_exact_where_the_first_values_are_kept(served, member):
    x, conditioning = x_of(member), {}
    masks = {"none": first(x, 0), "first": first(x, 4), "all": first(x, 99), "last": 1 - first(x, 4), "holes": some(x)}
    async with served(member) as service:
        for name, mask in masks.items():
            answer = await service.ask("complete", member, x=x.tolist(), mask=mask.tolist())
            conditioning[name] = answer["conditioning"]
    expected = {"none": "exact", "first": "exact", "all": "exact", "last": "causal", "holes": "causal"}
    assert conditioning == expected


@pytest.mark.parametrize("member", SERVED)
async def test_score_is_exact_and_has_no_error(served, member):
    async with served(member) as service:
        answer = await service.ask("score", member, x=x_of(member).tolist(), samples=16)
    assert (answer["kind"], answer["samples"]) == ("exact", 1)
    for row in answer["rows"]:
        assert row["elbo"] == row["importance_weighted_bound"]
        assert row["elbo_std_error"] == row["importance_weighted_bound_std_error"] == 0
        assert row["reliable"]


@pytest.mark.parametrize("member", SERVED)
async def test_a_seed_and_an_index_name_a_row(served, member):
    async with served(member) as service:
        for verb, body in bodies(member):
            whole = (await service.ask(verb, member, seed=SEED, **body(0, ROWS)))["x"]
            for start, stop in [(0, 4), *((row, row + 1) for row in range(ROWS))]:
                part = (await service.ask(verb, member, seed=SEED, index=start, **body(start, stop)))["x"]
                assert part.tobytes() == whole[start:stop].tobytes()
            other = (await service.ask(verb, member, seed=SEED + 1, **body(0, ROWS)))["x"]
            assert (other != whole).any()


@pytest.mark.parametrize("member", SERVED)
async def test_a_crowd_gets_what_each_gets_alone(served, member):
    async with served(member) as service:
        for verb, body in bodies(member):
            asked = [{"seed": seed, **body(0, 1 + seed % ROWS)} for seed in range(20)]
            alone = [(await service.post(verb, member, **one)).content for one in asked]
            crowd = await asyncio.gather(*(service.post(verb, member, **one) for one in asked))
            assert [answer.content for answer in crowd] == alone


def bodies(member):
    """The verbs that draw, with the request for some of the rows."""
    x = x_of(member)
    mask = some(x)
    yield "sample", lambda start, stop: {"num_samples": stop - start}
    if member in ONE_ORDER:
        yield "complete", lambda start, stop: {"x": x[start:stop].tolist(), "mask": mask[start:stop].tolist()}
