"""A seed names a sample: the same rows alone, within a longer draw, and however the work is cut."""

import asyncio

import numpy as np
import pytest

from tests.service.test_generative import MASK, X, Z

ROWS = np.resize(X, (10, 2, 2)).tolist()
CODES = np.resize(Z, (10, 2)).tolist()
MASKS = np.resize(MASK, (10, 2, 2)).tolist()
NOISY = {
    "sample": lambda rows: {"num_samples": rows.stop - rows.start},
    "encode": lambda rows: {"x": ROWS[rows], "temperature": 1},
    "decode": lambda rows: {"z": CODES[rows], "temperature": 1},
    "reconstruct": lambda rows: {"x": ROWS[rows], "temperature": 1},
    "complete": lambda rows: {"x": ROWS[rows], "mask": MASKS[rows]},
    "score": lambda rows: {"x": ROWS[rows], "samples": 4},
}
PATHS = {
    "interpolate": {"start": {"z": [2, 2]}, "end": {"seed": 5}, "steps": 10, "temperature": 1},
    "traverse": {"origin": {"seed": 5}, "dimension": 1, "values": [-1, 0, 1] * 3 + [2], "temperature": 1},
}


def body(verb, rows=slice(0, 10)):
    """The request for some of ten rows; a path always has ten."""
    return PATHS[verb] if verb in PATHS else NOISY[verb](rows)


@pytest.mark.parametrize("verb", NOISY)
async def test_rows_by_index_are_those_of_a_longer_draw(service, verb):
    whole = await service.ask(verb, seed=3, **body(verb))
    part = await service.ask(verb, seed=3, index=5, **body(verb, slice(5, 10)))
    for name in {"x", "z", "rows"} & set(whole):
        assert np.array_equal(whole[name][5:], part[name])


@pytest.mark.parametrize("verb", NOISY)
async def test_longer_draw_starts_with_the_shorter(service, verb):
    whole = await service.ask(verb, seed=3, **body(verb))
    part = await service.ask(verb, seed=3, **body(verb, slice(0, 4)))
    for name in {"x", "z", "rows"} & set(whole):
        assert np.array_equal(whole[name][:4], part[name])


@pytest.mark.parametrize("verb", [*NOISY, *PATHS])
async def test_another_seed_is_another_draw(service, verb):
    one, other = [await service.ask(verb, seed=seed, **body(verb)) for seed in (1, 2)]
    assert any(not np.array_equal(one[name], other[name]) for name in {"x", "z", "rows"} & set(one))


@pytest.mark.parametrize("verb", [verb for verb in [*NOISY, *PATHS] if verb != "score"])
async def test_temperature_zero_ignores_the_seed(service, verb):
    at_zero = body(verb) | {"temperature": 0}
    one, other = [await service.post(verb, seed=seed, index=seed, **at_zero) for seed in (1, 2)]
    assert one.content.replace(b'"seed":1,"index":1', b'"seed":2,"index":2') == other.content


@pytest.mark.parametrize("verb", [*NOISY, *PATHS])
async def test_smaller_runs_give_the_same_bytes(service, small, verb):
    whole, in_pieces = [await running.post(verb, seed=3, **body(verb)) for running in (service, small)]
    assert whole.status_code == 200
    assert whole.content == in_pieces.content


@pytest.mark.parametrize(("rows", "samples"), [(1, 12), (2, 4), (3, 3), (10, 2), (5, 1)])
async def test_smaller_runs_give_the_same_score(service, small, rows, samples):
    asked = {"x": ROWS[:rows], "samples": samples, "seed": 8}
    whole, in_pieces = [await running.post("score", **asked) for running in (service, small)]
    assert whole.content == in_pieces.content


@pytest.mark.parametrize("verb", [*NOISY, *PATHS])
async def test_crowd_gets_what_each_gets_alone(service, verb):
    seeds = range(16)
    alone = [(await service.post(verb, seed=seed, **body(verb))).content for seed in seeds]
    crowd = await asyncio.gather(*(service.post(verb, seed=seed, **body(verb)) for seed in seeds))
    assert [answer.content for answer in crowd] == alone


async def test_drawn_seed_is_answered_and_gives_the_same_again(service):
    one, other = [await service.post("sample", num_samples=9) for _ in range(2)]
    assert one.json()["seed"] != other.json()["seed"]
    again = await service.post("sample", num_samples=9, seed=one.json()["seed"])
    assert again.content == one.content
    assert again.headers["Reparam-Seed"] == str(one.json()["seed"])
