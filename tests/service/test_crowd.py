"""Callers of all verbs at once, each with seeds and sizes of its own, get the bytes that each gets alone."""

import asyncio
import itertools

from tests.service.conftest import serving
from tests.service.test_reproducibility import CODES, MASKS, ROWS

CALLERS = 64
KINDS = 96
ASKED = 384


def kinds():
    """(verb, body) without end, no two of them equal."""
    for seed in itertools.count():
        rows = 1 + seed % 7
        noise = {"seed": seed, "temperature": 1}
        yield "sample", noise | {"num_samples": rows}
        yield "encode", noise | {"x": ROWS[:rows]}
        yield "decode", noise | {"z": CODES[:rows]}
        yield "reconstruct", noise | {"x": ROWS[:rows]}
        yield "complete", noise | {"x": ROWS[:rows], "mask": MASKS[:rows]}
        yield "interpolate", noise | {"start": {"seed": seed}, "end": {"z": [1, -1]}, "steps": 1 + rows}
        yield "score", {"seed": seed, "x": ROWS[:rows], "samples": 1 + seed % 4}
        yield "criticize", {"x": ROWS[:rows], "seed": seed}


async def test_mixed_crowd_gets_what_each_gets_alone(repository):
    asked = list(itertools.islice(kinds(), KINDS))
    async with serving(repository, batch_rows=16) as service:
        alone = [await service.post(verb, **body) for verb, body in asked]
        assert {response.status_code for response in alone} == {200}
        runs_alone = await _runs(service)

        async def caller(number):
            for turn in range(ASKED // CALLERS):
                kind = (7 * number + turn) % KINDS
                verb, body = asked[kind]
                assert (await service.post(verb, **body)).content == alone[kind].content

        await asyncio.gather(*(caller(number) for number in range(CALLERS)))
        assert await _runs(service) - runs_alone < ASKED * runs_alone / KINDS / 2, "they hardly shared any run"


async def _runs(service):
    series = await service.series()
    return sum(value for name, value in series.items() if name.startswith("reparam_infer_duration_seconds_count"))
