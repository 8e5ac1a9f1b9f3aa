"""A run that never ends costs whoever asked for it a deadline, and nobody else anything."""

import asyncio

import pytest

from tests import tiny_bundle
from tests.service import spoiling
from tests.service.conftest import serving
from tests.service.test_errors import check

ENDLESS = [1000, 0]  # the code on which the looping decoder runs for ever
SOON = {"X-Request-Timeout-Ms": "100"}


@pytest.fixture
async def looping(tmp_path):
    tiny_bundle.publish(tmp_path, operations=["decode"], loops=True)
    async with serving(tmp_path) as service:
        yield service


async def stopped(service):
    """How many runs were stopped; waits for the first."""
    async with asyncio.timeout(10):
        while not (count := (await service.series()).get('reparam_cancelled_total{stage="run"}')):
            await asyncio.sleep(0.01)
    return count


async def test_looping_decoder_is_the_tiny_one(looping, service):
    for z in ([[0, 0]], [[1, -0.5], [-1.5, 2]]):
        answers = [await running.ask("decode", z=z, seed=1) for running in (looping, service)]
        assert (answers[0]["x"] == answers[1]["x"]).all()


async def test_endless_run_is_stopped_at_the_deadline(looping):
    check(await looping.post("decode", headers=SOON, z=[ENDLESS]), 504, "deadline-passed")
    assert await stopped(looping) == 1
    assert (await looping.post("decode", z=[[0, 0]])).status_code == 200


async def test_neighbours_of_an_endless_row_get_their_answers(looping):
    alone = await looping.post("decode", z=[[1, 1]], seed=1)
    endless, *others = await asyncio.gather(
        looping.post("decode", headers=SOON, z=[ENDLESS]),
        *(looping.post("decode", z=[[1, 1]], seed=1) for _ in range(4)),
    )
    assert endless.status_code == 504
    assert [answer.content for answer in others] == [alone.content] * 4
    assert await stopped(looping) == 1


async def test_bundle_whose_golden_run_never_ends_is_refused_and_the_others_serve(tmp_path):
    endless = tiny_bundle.publish(tmp_path, "endless", operations=["decode"], loops=True)
    spoiling.with_golden(endless, lambda _, rows: rows.inputs["z"].fill(ENDLESS[0]))
    tiny_bundle.publish(tmp_path)
    async with serving(tmp_path, golden_seconds=0.2) as service:
        check(await service.post("decode", "endless", z=[[0, 0]]), 404, "unknown-model")
        listed = (await service.client.get("/v2/models")).json()["models"]
        assert {(one["name"], one["state"], one["reason"]) for one in listed} == {
            ("endless", "UNAVAILABLE", "decode: the golden rows had not run after 0.2 s"),
            ("tiny", "READY", ""),
        }
        assert (await service.post("decode", z=[[0, 0]])).status_code == 200
