"""Many mixed requests at once: that each gets the bytes that it gets alone, and that memory stays flat."""

import asyncio
import itertools
import os
from typing import NamedTuple

import psutil

from tests.benchmarks.connection import Answer, Connection
from tests.benchmarks.fairness import bundles
from tests.benchmarks.mixture import MODELS, requests
from tests.live_server import Server, live_server

CALLERS = 64
KINDS = 420  # requests that differ
CROWD = int(os.environ.get("REPARAM_CROWD", "10_000"))
SOAK = int(os.environ.get("REPARAM_SOAK", "100_000"))
PARTS = 5  # of the soak, with a look at the memory after each
MEBIBYTE = 2**20


class Outcome(NamedTuple):
    failed: int
    other_bytes: int


def run() -> None:
    with bundles(*MODELS) as root, live_server(repository=root) as server:
        server.wait_until_ready()
        asyncio.run(_run(server))


async def _run(server: Server) -> None:
    asked = list(itertools.islice(requests(), KINDS))
    connection = await Connection.open(server.address)
    alone = [await connection.ask(request) for request in asked]
    connection.close()
    assert {answer.status for answer in alone} == {200}, next(answer for answer in alone if answer.status != 200)
    for name, count in (("crowd", CROWD), *[("soak", SOAK // PARTS)] * PARTS):
        outcome = await crowd(server.address, asked, alone, count)
        resident = psutil.Process(server.pid).memory_info().rss / MEBIBYTE
        print(
            f"  {name}: {count:,} mixed requests by {CALLERS} callers: {outcome.failed} failed, "
            f"{outcome.other_bytes} with other bytes than alone; resident {resident:.1f} MiB"
        )


async def crowd(address: str, asked: list[bytes], alone: list[Answer], count: int) -> Outcome:
    """So many requests, by callers that each begin with another kind."""

    async def caller(number: int) -> Outcome:
        connection = await Connection.open(address)
        failed = other = 0
        for turn in range(count // CALLERS + (number < count % CALLERS)):
            kind = (number * 7 + turn) % len(asked)
            answer = await connection.ask(asked[kind])
            failed += answer.status != 200
            other += answer.body != alone[kind].body
        connection.close()
        return Outcome(failed, other)

    outcomes = await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return Outcome(sum(outcome.failed for outcome in outcomes), sum(outcome.other_bytes for outcome in outcomes))
