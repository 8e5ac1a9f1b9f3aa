"""Many mixed requests at once: that each gets the bytes that it gets alone, and that memory stays flat."""

import asyncio
import itertools
import os
from collections.abc import Iterator
from typing import NamedTuple

import psutil

from models.repository import SHIPPED, Repository
from tests.benchmarks.connection import Connection, post
from tests.live_server import Server, live_server

CALLERS = 64
KINDS = 200  # requests that differ
CROWD = 10_000
SOAK = int(os.environ.get("REPARAM_SOAK", "100_000"))
MEBIBYTE = 2**20
MODEL = "vae-digits"


class Outcome(NamedTuple):
    failed: int
    other_bytes: int


def run() -> None:
    with live_server() as server:
        server.wait_until_ready()
        asyncio.run(_run(server))


async def _run(server: Server) -> None:
    requests = list(itertools.islice(kinds(), KINDS))
    connection = await Connection.open(server.address)
    alone = [(await connection.ask(request)).body for request in requests]
    connection.close()
    for name, count in (("crowd", CROWD), *[("soak", SOAK // 5)] * 5):
        outcome = await crowd(server.address, requests, alone, count)
        resident = psutil.Process(server.pid).memory_info().rss / MEBIBYTE
        print(
            f"  {name}: {count:,} mixed requests by {CALLERS} callers: {outcome.failed} failed, "
            f"{outcome.other_bytes} with other bytes than alone; resident {resident:.1f} MiB"
        )


async def crowd(address: str, requests: list[bytes], alone: list[bytes], count: int) -> Outcome:
    """So many requests, by callers that each begin with another kind."""

    async def caller(number: int) -> Outcome:
        connection = await Connection.open(address)
        failed = other = 0
        for turn in range(count // CALLERS):
            kind = (number * 3 + turn) % len(requests)
            answer = await connection.ask(requests[kind])
            failed += answer.status != 200
            other += answer.body != alone[kind]
        connection.close()
        return Outcome(failed, other)

    outcomes = await asyncio.gather(*(caller(number) for number in range(CALLERS)))
    return Outcome(sum(outcome.failed for outcome in outcomes), sum(outcome.other_bytes for outcome in outcomes))


def kinds() -> Iterator[bytes]:
    """Every verb of the model, by turns, each with another seed and other sizes."""
    x = [[[(3 * i + j) % 17 for j in range(8)] for i in range(8)]]
    code = [[0.1 * i for i in range(16)]]
    assert Repository(SHIPPED).versions(MODEL)
    for seed in itertools.count():
        rows = 1 + seed % 5
        yield post(f"/v2/models/{MODEL}/sample", {"seed": seed, "num_samples": rows})
        yield post(f"/v2/models/{MODEL}/score", {"seed": seed, "x": x * rows, "samples": 1 + seed % 9})
        yield post(f"/v2/models/{MODEL}/encode", {"seed": seed, "x": x * rows, "temperature": 1})
        yield post(f"/v2/models/{MODEL}/decode", {"seed": seed, "z": code * rows, "temperature": 1})
        yield post(f"/v2/models/{MODEL}/reconstruct", {"seed": seed, "x": x * rows, "temperature": 1})
        ends = {"start": {"seed": seed}, "end": {"z": code[0]}}
        yield post(f"/v2/models/{MODEL}/interpolate", {"seed": seed, **ends, "steps": 2 + rows})
