"""G10: SIGTERM at any moment loses nothing of those who look whether the service is ready, and ends in time."""

import asyncio
import random
import signal
import socket
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from tests import tiny_bundle
from tests.benchmarks.connection import Connection
from tests.live_server import Server, live_server
from tests.soak.load import SAMPLE
from tests.soak.table import Row

REPEATS = 10
CLIENTS = 8
STALLED = 20
LOOK_SECONDS = 0.2
LONGEST_SECONDS = 3  # deadline of a request
DRAIN_SECONDS = 1.0
_READY = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n"
_HALVES = (
    SAMPLE[:20],
    SAMPLE[: SAMPLE.index(b"\r\n\r\n") + 5],
)  # of a head, and of a body


class Ended(NamedTuple):
    """What the clients met, and in seconds from the signal: when it was not ready, and when it was over."""

    statuses: Counter[str]
    unready: float
    seconds: float
    status: int


def run() -> Row:
    ended = [terminate(workers=1 + number % 2) for number in range(REPEATS)]
    statuses = sum((one.statuses for one in ended), Counter())
    unready, longest = max(one.unready for one in ended), max(one.seconds for one in ended)
    limit = DRAIN_SECONDS + LONGEST_SECONDS + 1
    clean = sum(one.status == 0 for one in ended)
    failed = statuses.total() - statuses["200"]
    return Row(
        f"SIGTERM under load, mid-swap, with {STALLED} stalled clients: not ready ≤ 100 ms, 0 failed, exit 0 in ≤ "
        f"{limit:g} s",
        f"{REPEATS} times, one worker and two: {failed} of {statuses.total():,} failed, not ready after ≤ "
        f"{1e3 * unready:.0f} ms, exit 0 {clean} times after ≤ {longest:.1f} s",
        failed == 0 and clean == REPEATS and unready <= 0.1 and longest <= limit,
    )


def terminate(workers: int = 1, seconds: float = 1.0) -> Ended:
    """A server that gets the signal after about so long under load, as a new version comes."""
    with tempfile.TemporaryDirectory() as folder:
        tiny_bundle.publish(Path(folder))
        settings = {"drain_seconds": DRAIN_SECONDS, "timeout_seconds": LONGEST_SECONDS, "journal": False}
        with live_server(repository=folder, device="cpu", workers=workers, **settings) as server:
            server.wait_until_ready()
            stalled = [_stall(server, _HALVES[number % 2]) for number in range(STALLED)]
            ended = asyncio.run(_terminate(server, Path(folder), random.uniform(0.5, 1.5) * seconds))
            for connection in stalled:
                connection.close()
        return ended


async def _terminate(server: Server, root: Path, seconds: float) -> Ended:
    statuses: Counter[str] = Counter()
    clients = [asyncio.create_task(_ask_while_ready(server, statuses)) for _ in range(CLIENTS)]
    looking = await Connection.open(server.address)
    await asyncio.sleep(seconds)
    tiny_bundle.publish(root, version=2)
    await asyncio.sleep(random.uniform(0, 0.2))
    server.process.send_signal(signal.SIGTERM)
    signalled = time.perf_counter()
    while (await looking.ask(_READY)).status == 200:
        await asyncio.sleep(0.005)
    unready = time.perf_counter() - signalled
    looking.close()
    await asyncio.gather(*clients)
    status = await asyncio.to_thread(server.process.wait, 60)
    return Ended(statuses, unready, time.perf_counter() - signalled, status)


async def _ask_while_ready(server: Server, statuses: Counter[str]) -> None:
    """One that looks every so often, goes elsewhere when it is not ready, and opens anew what is closed."""
    connection, looked = None, 0.0
    while True:
        try:
            connection = connection or await Connection.open(server.address)
            is_look = time.perf_counter() - looked > LOOK_SECONDS
            answer = await connection.ask(_READY if is_look else SAMPLE)
        except (OSError, EOFError) as error:
            statuses[type(error).__name__] += 1
            connection = connection and connection.close()
            continue
        if not is_look:
            statuses[str(answer.status)] += 1
        if "close" in answer.header("connection"):
            connection = connection.close()
        if is_look and answer.status != 200:
            return
        looked = time.perf_counter() if is_look else looked


def _stall(server: Server, half: bytes) -> socket.socket:
    host, _, port = server.address.partition(":")
    connection = socket.create_connection((host, int(port)))
    connection.sendall(half)
    return connection
