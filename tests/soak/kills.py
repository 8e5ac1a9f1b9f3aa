"""G7: of several workers, one that is killed at any moment loses what it was running, and is replaced."""

import asyncio
import os
import random
import re
import signal
import tempfile
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import psutil

from tests import tiny_bundle
from tests.benchmarks.connection import Connection
from tests.live_server import Server, live_server
from tests.soak.load import SAMPLE
from tests.soak.table import Row
from tests.soak.tier import tier

CLIENTS = 16
TURNS = 20  # requests on one connection, so that a new worker gets some
WORKERS = 2
PATIENCE_SECONDS = 60.0


class Kill(NamedTuple):
    """What a worker had when it was killed, what was lost of it, and how long until another answered in its place.

    The pause that the supervisor makes is left out.
    """

    connections: int
    lost: int
    seconds: float


def run() -> Row:
    kills = 10
    with tempfile.TemporaryDirectory() as folder:
        tiny_bundle.publish(Path(folder))
        with live_server(repository=folder, device="cpu", workers=WORKERS, journal=False) as server:
            server.wait_until_ready()
            found, statuses = asyncio.run(kill(server, kills, tier(4.0, 6.0)))
            told = pauses(server)
    others = {status: count for status, count in statuses.items() if status != 200}
    return Row(
        "kill -9 of a worker under load: lost ≤ its in flight, all others 0; replaced ≤ 2 s + load; back-off",
        f"{len(found)} kills: lost {sum(one.lost for one in found)} of {sum(one.connections for one in found)} in "
        f"flight, {sum(others.values())} others of {statuses[200]:,}; replaced after "
        f"{min(one.seconds for one in found):.1f} to {max(one.seconds for one in found):.1f} s, pauses of "
        f"{', '.join(f'{pause:g}' for pause in told)} s before",
        not others and all(one.lost <= one.connections for one in found) and len(set(told)) > 1,
    )


def pauses(server: Server) -> list[float]:
    """Seconds that the supervisor says it waits before it replaces a worker."""
    return [float(seconds) for seconds in re.findall(r"the next one starts in ([0-9.]+) s", server.said)]


async def kill(server: Server, kills: int, mean_seconds: float = 0.5) -> tuple[list[Kill], Counter[int]]:
    """So many, at random times, while clients ask; and how often they got which status."""
    statuses: Counter[int] = Counter()
    lost = 0
    ending = asyncio.Event()

    async def client() -> None:
        nonlocal lost
        while not ending.is_set():
            try:
                with closing(await Connection.open(server.address)) as connection:
                    for _ in range(TURNS):
                        statuses[(await connection.ask(SAMPLE)).status] += 1
            except (OSError, EOFError):
                lost += 1

    asking = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    found = []
    for _ in range(kills):
        await asyncio.sleep(random.uniform(0.5, 1.5) * mean_seconds)
        workers = await _serving(server)
        victim, before = random.choice(sorted(workers)), lost
        connections = _connections(victim)
        killed = time.perf_counter()
        os.kill(victim, signal.SIGKILL)
        await _serving(server, without=victim)
        found.append(Kill(connections, lost - before, time.perf_counter() - killed - pauses(server)[-1]))
    ending.set()
    await asyncio.gather(*asking)
    return found, statuses


async def _serving(server: Server, without: int = 0) -> set[int]:
    """The workers, once there are as many as should be and each has a connection."""
    until = time.perf_counter() + PATIENCE_SECONDS
    while time.perf_counter() < until:
        found = {child.pid for child in psutil.Process(server.pid).children()} - {without}
        if len(found) == WORKERS and all(map(_connections, found)):
            return found
        await asyncio.sleep(0.02)
    raise TimeoutError(f"there are not {WORKERS} workers that serve")


def _connections(pid: int) -> int:
    try:
        found = psutil.Process(pid).net_connections("tcp")
    except psutil.NoSuchProcess:
        return 0
    return sum(one.status == psutil.CONN_ESTABLISHED for one in found)
