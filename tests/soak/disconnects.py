"""G5: callers who hang up take their work along: what runs for them is stopped, what waits is dropped."""

import asyncio
import json
import time
from typing import NamedTuple

from tests.benchmarks.connection import Connection, post
from tests.benchmarks.fairness import bundles
from tests.live_server import Server, live_server
from tests.soak.readings import series, total
from tests.soak.table import Row

CLIENTS = 50
SAMPLES = 10_000
STAY_SECONDS = 0.35
ROUNDS = 5
MODEL = "vae-mnist"


class Left(NamedTuple):
    """Runs that were counted after all had left, how many were under way then, when nothing waited any more."""

    executed: int
    running: int
    seconds: float
    next_waited: float  # a new request, in milliseconds


def run() -> Row:
    settings = {"queue_rows": 10**7, "queue_seconds": 600, "timeout_seconds": 600}
    with bundles(MODEL) as root, live_server(repository=root, runs=2, **settings) as server:
        server.wait_until_ready()
        rounds = [asyncio.run(_leave(server)) for _ in range(ROUNDS)]
    executed = max(one.executed for one in rounds)
    seconds = max(one.seconds for one in rounds)
    return Row(
        f"{CLIENTS} callers hang up: executed ≤ running + 2, queue empty ≤ 100 ms",
        f"{ROUNDS} times: at most {executed} executed of {rounds[0].running} running, queue empty after "
        f"≤ {1e3 * seconds:.0f} ms, the next request waited ≤ {max(one.next_waited for one in rounds):.0f} ms",
        all(one.executed <= one.running + 2 for one in rounds) and seconds <= 0.1,
    )


async def _leave(server: Server) -> Left:
    x = json.loads((await _once(server, post(f"/v2/models/{MODEL}/sample", {"seed": 1}))).body)["x"]
    score = post(f"/v2/models/{MODEL}/score", {"x": x, "samples": SAMPLES, "seed": 1})
    connections = [await Connection.open(server.address) for _ in range(CLIENTS)]
    asking = [asyncio.create_task(connection.ask(score)) for connection in connections]
    await asyncio.sleep(STAY_SECONDS)
    before = _runs(server)
    for task, connection in zip(asking, connections, strict=True):
        task.cancel()
        connection.close()
    await asyncio.sleep(0)  # the transports close in the next turn of the loop
    left = time.perf_counter()
    while total(series(server), "reparam_queue_rows"):
        await asyncio.sleep(0.005)
    seconds = time.perf_counter() - left
    answer = await _once(server, post(f"/v2/models/{MODEL}/score", {"x": x, "samples": 1, "seed": 1}))
    await asyncio.sleep(0.5)
    waited = float(answer.header("server-timing").partition("queue;dur=")[2].partition(",")[0])
    return Left(_runs(server) - before - 1, 2, seconds, waited)


async def _once(server: Server, request: bytes):
    connection = await Connection.open(server.address)
    answer = await connection.ask(request)
    connection.close()
    assert answer.status == 200, answer
    return answer


def _runs(server: Server) -> int:
    return int(total(series(server), "reparam_batch_rows_count", "score"))
