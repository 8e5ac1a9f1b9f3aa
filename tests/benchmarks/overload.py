"""Goodput when ten times as much is asked for as the service can do, beside its peak; the deadline is 1 s."""

import asyncio
import json
import os
import random
import statistics
import time
from typing import NamedTuple

from tests.benchmarks.connection import Connection, request
from tests.benchmarks.fairness import bundles
from tests.live_server import Server, live_server

SECONDS = float(os.environ.get("REPARAM_OVERLOAD_SECONDS", "10"))
TIMES = 10
DEADLINE = 1.0
MODEL = "vae-digits"
SAMPLES = 10_000
_BODY = json.dumps({"x": [[[0] * 8] * 8], "samples": SAMPLES, "seed": 1}).encode()
_HEADERS = {"Content-Type": "application/json", "X-Request-Timeout-Ms": str(int(1000 * DEADLINE))}
REQUEST = request(f"/v2/models/{MODEL}/score", _BODY, _HEADERS)


class Outcome(NamedTuple):
    status: int
    seconds: float


def run() -> None:
    with bundles(MODEL) as root, live_server(repository=root) as server:
        server.wait_until_ready()
        peak = max(asyncio.run(_closed(server, clients)) for clients in (1, 2, 4, 8, 16))
        outcomes = asyncio.run(_open(server, TIMES * peak))
        again = max(asyncio.run(_closed(server, clients)) for clients in (2, 4, 8))
    good = [outcome.seconds for outcome in outcomes if outcome.status == 200 and outcome.seconds <= DEADLINE]
    refused = [outcome.seconds for outcome in outcomes if outcome.status == 503]
    others = [outcome.status for outcome in outcomes if outcome.status not in (200, 503)]
    late = len([outcome for outcome in outcomes if outcome.status == 200]) - len(good)
    cuts = statistics.quantiles(refused, n=100)
    print(
        f"  score, K = {SAMPLES:,}: peak {peak:.1f}/s before and {again:.1f}/s after; at {TIMES} times as much for "
        f"{SECONDS:g} s {len(good) / SECONDS:.1f}/s in time, {len(good) / SECONDS / peak:.0%} of the peak; "
        f"{late} late, {len(others)} of other statuses {sorted(set(others))}; {len(refused):,} refused, "
        f"p50 {1e3 * cuts[49]:.1f} ms, p99 {1e3 * cuts[98]:.1f} ms"
    )


async def _closed(server: Server, clients: int) -> float:
    """Good answers a second, of clients that wait for each."""
    until = time.perf_counter() + SECONDS / 3
    good = 0

    async def client() -> None:
        nonlocal good
        connection = await Connection.open(server.address)
        while (began := time.perf_counter()) < until:
            answer = await connection.ask(REQUEST)
            good += answer.status == 200 and time.perf_counter() - began <= DEADLINE
        connection.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return good / (SECONDS / 3)


async def _open(server: Server, rate: float) -> list[Outcome]:
    """Poisson arrivals that wait for nobody; connections are used again."""
    idle: list[Connection] = []
    generator = random.Random(0)
    arrivals, at = [], 0.0
    while (at := at + generator.expovariate(rate)) < SECONDS:
        arrivals.append(at)
    began = time.perf_counter()

    async def client(after: float) -> Outcome:
        await asyncio.sleep(began + after - time.perf_counter())
        asked = time.perf_counter()
        connection = idle.pop() if idle else await Connection.open(server.address)
        answer = await connection.ask(REQUEST)
        idle.append(connection)
        assert answer.status != 503 or b"retry-after" in answer.head
        return Outcome(answer.status, time.perf_counter() - asked)

    outcomes = await asyncio.gather(*map(client, arrivals))
    for connection in idle:
        connection.close()
    return outcomes
