"""G14: callers get the bytes that each gets alone, beside poison, callers who leave, and after a restart."""

import asyncio
import itertools
from contextlib import closing, suppress

from tests.benchmarks.connection import Answer, Connection, post, request
from tests.benchmarks.fairness import bundles
from tests.benchmarks.mixture import MODELS, requests
from tests.benchmarks.soak import Outcome, crowd
from tests.live_server import Server, live_server
from tests.soak.table import Row
from tests.soak.tier import tier

KINDS = 420  # requests that differ
POISON = (  # neighbours in the same graphs who fail, and who come too late
    post("/v2/models/vae-digits/sample", {"seed": 1, "num_samples": 0}),
    post("/v2/models/vae-digits/score", {"seed": 1, "x": [[[99] * 8] * 8]}),
    request(
        "/v2/models/vae-digits/infer",
        b'{"inputs": [{"name": "z", "shape": [1, 16], "datatype": "FP32", "data": [' + b"1e38," * 15 + b"1e38]}]}",
        {},
    ),
    request(
        "/v2/models/ar-digits/sample",
        b'{"seed": 1, "num_samples": 64}',
        {"Content-Type": "application/json", "X-Request-Timeout-Ms": "1"},
    ),
)


def run() -> Row:
    count = tier(10_000, 100_000)
    asked = list(itertools.islice(requests(), KINDS))
    with bundles(*MODELS) as root:
        with live_server(repository=root, device="cpu", journal=False) as server:
            server.wait_until_ready()
            alone = asyncio.run(each(server, asked))
        with live_server(repository=root, device="cpu", journal=False) as server:
            server.wait_until_ready()
            found = asyncio.run(beside_trouble(server, asked, alone, count))
    return Row(
        "64 mixed callers beside poison and leavers, after a restart: the bytes that each gets alone",
        f"{count:,} requests of {KINDS} kinds: {found.failed} failed, {found.other_bytes} with other bytes",
        found == Outcome(0, 0),
    )


async def each(server: Server, asked: list[bytes]) -> list[Answer]:
    """One after the other."""
    connection = await Connection.open(server.address)
    answers = [await connection.ask(one) for one in asked]
    connection.close()
    assert {answer.status for answer in answers} == {200}, answers
    return answers


async def beside_trouble(
    server: Server, asked: list[bytes], alone: list[Answer], count: int, poison: tuple[bytes, ...] = POISON
) -> Outcome:
    trouble = [
        asyncio.create_task(_poison(server, poison)),
        asyncio.create_task(_leave_midway(server, asked)),
    ]
    found = await crowd(server.address, asked, alone, count)
    for task in trouble:
        task.cancel()
    for ended in await asyncio.gather(*trouble, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise ended
    return found


async def _poison(server: Server, poison: tuple[bytes, ...]) -> None:
    with closing(await Connection.open(server.address)) as connection:
        for one in itertools.cycle(poison):
            status = (await connection.ask(one)).status
            assert status != 500, one


async def _leave_midway(server: Server, asked: list[bytes]) -> None:
    for one in itertools.cycle(asked):
        with closing(await Connection.open(server.address)) as connection, suppress(TimeoutError):
            await asyncio.wait_for(connection.ask(one), 0.002)
