"""Requests a second of the shipped vae-mnist's `sample`, one row in JSON, over 1, 8 and 64 connections."""

import asyncio
import statistics
import time
from typing import NamedTuple

from tests.benchmarks.connection import Connection, post
from tests.live_server import Server, live_server

CONNECTIONS = (1, 8, 64)
SECONDS = 3.0
ROUNDS = 3
REQUEST = post("/v2/models/vae-mnist/sample", {"seed": 1})


class Rate(NamedTuple):
    """Requests a second, and milliseconds."""

    requests: float
    p50: float
    p99: float


def run() -> None:
    with live_server() as server:
        server.wait_until_ready()
        show("sample n = 1", server, REQUEST)


def show(name: str, server: Server, request: bytes) -> None:
    for connections in CONNECTIONS:
        rates = [asyncio.run(rate(server.address, request, connections)) for _ in range(ROUNDS)]
        median = Rate(*(statistics.median(values) for values in zip(*rates, strict=True)))
        print(
            f"  {name}, {connections:>2} connections: {median.requests:7.0f}/s  "
            f"p50 {median.p50:6.2f} ms  p99 {median.p99:6.2f} ms"
        )


async def rate(address: str, request: bytes, connections: int, seconds: float = SECONDS) -> Rate:
    times: list[float] = []
    start = time.perf_counter()
    until = start + seconds

    async def caller() -> None:
        connection = await Connection.open(address)
        while (began := time.perf_counter()) < until:
            answer = await connection.ask(request)
            assert answer.status == 200, answer
            times.append(time.perf_counter() - began)
        connection.close()

    await asyncio.gather(*(caller() for _ in range(connections)))
    cuts = statistics.quantiles(times, n=100)
    return Rate(len(times) / (time.perf_counter() - start), 1e3 * cuts[49], 1e3 * cuts[98])
