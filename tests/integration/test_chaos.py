"""Trouble over the wire: who hangs up, who never ends, who is killed, swapped, stalled; only counts are asserted.

The same is measured at length, times included, by `make soak`.
"""

import asyncio

import pytest

from tests.benchmarks.connection import Connection, post
from tests.live_server import live_server
from tests.soak import deadlines, install, isolation, kills, slow_clients, swaps, termination
from tests.soak.readings import read, series, total

LEAVERS = 50
KINDS = [
    *(post("/v2/models/tiny/sample", {"seed": seed, "num_samples": 1 + seed}) for seed in range(8)),
    *(post("/v2/models/tiny/encode", {"seed": seed, "x": [[[0, 1], [1, 0]]] * (1 + seed)}) for seed in range(8)),
    *(post("/v2/models/tiny/score", {"seed": seed, "x": [[[1, 1], [1, 0]]], "samples": 1 + seed}) for seed in range(8)),
]
POISON = (
    post("/v2/models/tiny/sample", {"num_samples": 0}),
    post("/v2/models/tiny/score", {"x": [[[7, 0], [0, 0]]]}),
    post(
        "/v2/models/tiny/infer", {"inputs": [{"name": "z", "shape": [1, 2], "datatype": "FP32", "data": [3e38, 3e38]}]}
    ),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("chaos")
    deadlines.publish(root)
    with live_server(repository=root, device="cpu", runs=2, journal=False) as server:
        server.wait_until_ready()
        yield server


async def until_queued(server, rows):
    async with asyncio.timeout(60):
        while total(series(server), "reparam_queue_rows", "looping") != rows:
            await asyncio.sleep(0.01)


def runs(server):
    return total(series(server), "reparam_batch_rows_count", "looping")


async def test_callers_who_hang_up_leave_nothing_to_do(server):
    """One runs for ever, the others wait behind it: of these, at most what is cut before all have left is run."""
    before = runs(server)
    connections = [await Connection.open(server.address) for _ in range(LEAVERS)]
    endless = post("/v2/models/looping/decode", {"z": [[1000, 0]], "seed": 1})
    asking = [asyncio.create_task(connections[0].ask(endless))]
    await asyncio.sleep(0.2)
    asking += [asyncio.create_task(connection.ask(deadlines.NEIGHBOUR)) for connection in connections[1:]]
    await until_queued(server, LEAVERS - 1)
    for task, connection in zip(asking, connections, strict=True):
        task.cancel()
        connection.close()
    await until_queued(server, 0)
    connection = await Connection.open(server.address)
    assert (await connection.ask(deadlines.NEIGHBOUR)).status == 200
    connection.close()
    assert before + 1 <= runs(server) <= before + 3


async def test_runs_without_end_are_504_and_their_neighbours_get_their_bytes(server):
    found = await deadlines.stop(server, times=3)
    assert found.endless[504] == 3
    assert set(found.endless) <= {503, 504}
    assert set(found.neighbours) == {200}
    assert found.bodies == 1


async def test_callers_beside_poison_and_leavers_get_the_bytes_that_each_gets_alone(server):
    alone = await isolation.each(server, KINDS)
    assert await isolation.beside_trouble(server, KINDS, alone, 640, POISON) == isolation.Outcome(0, 0)


async def test_slow_clients_are_all_let_go(tmp_path):
    deadlines.publish(tmp_path)
    with live_server(repository=tmp_path, device="cpu", header_seconds=1, body_seconds=1, journal=False) as server:
        server.wait_until_ready()
        before = read(server).files
        assert (await slow_clients.crowd(server, 60, drip_seconds=0.2)).closed == 60
        await asyncio.sleep(slow_clients.LINGERING_SECONDS)
        assert read(server).files <= before


def test_versions_that_take_over_under_load_fail_nobody_and_mix_nothing(tmp_path):
    with swaps.serving(tmp_path) as server:
        found = swaps.swap(server, tmp_path, 10)
    assert found.meanwhile.failed == {}
    assert len(found.meanwhile.bodies) > 1
    assert swaps.mixed(found.meanwhile) == 0


async def test_workers_killed_again_and_again_lose_what_they_were_running(tmp_path):
    deadlines.publish(tmp_path)
    with live_server(repository=tmp_path, device="cpu", workers=2, journal=False) as server:
        server.wait_until_ready()
        found, statuses = await kills.kill(server, 2)
        assert all(kill.lost <= kill.connections for kill in found)
        assert set(statuses) == {200}
        assert len(kills.pauses(server)) == 2


def test_sigterm_in_the_middle_of_a_swap_loses_nothing_whoever_stalls():
    ended = termination.terminate()
    assert set(ended.statuses) == {"200"}
    assert ended.status == 0


def test_as_it_comes_it_is_reached_by_nobody_else_and_writes_nothing():
    found = install.install()
    assert install.holds(found), found
