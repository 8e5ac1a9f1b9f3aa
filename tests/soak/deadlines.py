"""G6: a run without end is stopped at its deadline, and its neighbours get their answers."""

import asyncio
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests import tiny_bundle
from tests.benchmarks.connection import Connection, post, request
from tests.live_server import Server, live_server
from tests.soak.load import good_load
from tests.soak.table import Row
from tests.soak.tier import tier

DEADLINE_SECONDS = 0.3
PAUSE_SECONDS = 0.1
NEIGHBOURS = 4
_PATH = "/v2/models/looping/decode"
_HEADERS = {"Content-Type": "application/json", "X-Request-Timeout-Ms": str(int(1000 * DEADLINE_SECONDS))}
ENDLESS = request(_PATH, b'{"z": [[1000, 0]], "seed": 1}', _HEADERS)
NEIGHBOUR = post(_PATH, {"z": [[1, 1]], "seed": 1})


class Stopped(NamedTuple):
    """Statuses of the endless and of their neighbours, how many different bodies these had, and seconds too late.

    503 is for an endless one that would have begun too late, behind others of its kind.
    """

    endless: Counter[int]
    neighbours: Counter[int]
    bodies: int
    late: float


def run() -> Row:
    times = tier(20, 200)
    with tempfile.TemporaryDirectory() as folder:
        publish(Path(folder))
        with live_server(repository=folder, device="cpu") as server:
            server.wait_until_ready()
            with good_load(server) as load:
                found = asyncio.run(stop(server, times))
    wrong = found.endless.total() - found.endless[504] - found.endless[503]
    failed = found.neighbours.total() - found.neighbours[200]
    others = sum(load.outcome.failed.values())
    return Row(
        "a run past its deadline is stopped ≤ 100 ms later: 504; neighbours are answered",
        f"{found.endless.total()} asked for: {found.endless[504]} × 504, at most {1e3 * found.late:.0f} ms late, "
        f"{found.endless[503]} refused beforehand; of {found.neighbours.total():,} neighbours {failed} failed, with "
        f"{found.bodies} kind of bytes; "
        f"of {load.outcome.answered:,} others {others}",
        wrong == failed == others == 0 and found.bodies == 1 and found.late <= 0.1,
    )


def publish(root: Path) -> None:
    tiny_bundle.publish(root)
    tiny_bundle.publish(root, "looping", operations=["decode"], loops=True)


async def stop(server: Server, times: int) -> Stopped:
    """So many runs without end, one after the other, among neighbours in the same graph."""
    endless, neighbours = Counter(), Counter()
    bodies, late = set(), 0.0
    ending = asyncio.Event()

    async def neighbour() -> None:
        connection = await Connection.open(server.address)
        while not ending.is_set():
            answer = await connection.ask(NEIGHBOUR)
            neighbours[answer.status] += 1
            bodies.add(answer.body)
        connection.close()

    asking = [asyncio.create_task(neighbour()) for _ in range(NEIGHBOURS)]
    connection = await Connection.open(server.address)
    while endless[504] < times:
        began = time.perf_counter()
        endless[(await connection.ask(ENDLESS)).status] += 1
        late = max(late, time.perf_counter() - began - DEADLINE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)
    connection.close()
    ending.set()
    await asyncio.gather(*asking)
    return Stopped(endless, neighbours, len(bodies), late)
