"""G13: memory, files and threads stay flat through hours of everything at once, and a planted leak is found."""

import asyncio
import itertools
import math
import os
import random
import tempfile
import time
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np

from models.repository import SHIPPED
from tests import tiny_bundle
from tests.benchmarks.connection import Connection
from tests.benchmarks.mixture import MODELS, requests
from tests.live_server import Server, live_server
from tests.soak.readings import MEBIBYTE, Reading, read
from tests.soak.swaps import BIASES, KEPT, withdraw
from tests.soak.table import Row
from tests.soak.tier import tier

CLIENTS = 8
SWAP_SECONDS = tier(0.5, 5.0)  # memory comes and goes with versions, by some MiB in tens of swaps
LEAVER_SECONDS = 0.2
KINDS = 210
SECONDS = tier(180.0, 3600.0)  # after the warm-up; the allocator gives pages back every ten seconds or so, many MiB
LEAKING_SECONDS = tier(60.0, 600.0)
LEAK = 1024  # bytes a request
WARM = tier(8_000, 100_000)  # requests until the allocator and the collector have found their pace
MOST_BYTES = 256  # a request
MOST_SLOPE = tier(math.inf, 1.0)  # MiB in ten minutes, which a few minutes cannot tell
MOST_GROWTH = 0.05


class Soaked(NamedTuple):
    """Statuses, and after the warm-up the requests answered so far and a reading, in equal distances."""

    statuses: Counter[int]
    readings: list[tuple[int, Reading]]
    seconds: float

    @property
    def bytes(self) -> float:
        """Of resident memory a request, by least squares."""
        return MEBIBYTE * self._slope([float(requests) for requests, _ in self.readings])

    @property
    def slope(self) -> float:
        """MiB in ten minutes, by least squares."""
        return self._slope(list(np.linspace(0, self.seconds / 600, len(self.readings))))

    @property
    def growth(self) -> float:
        """From one end to the other of the line of least squares, of what there is in the mean."""
        total = self.slope * self.seconds / 600
        return total / float(np.mean([reading.resident for _, reading in self.readings]))

    @property
    def is_flat(self) -> bool:
        return self.bytes <= MOST_BYTES and self.slope <= MOST_SLOPE and self.growth <= MOST_GROWTH

    @property
    def failed(self) -> int:
        return sum(count for status, count in self.statuses.items() if status >= 500)

    def _slope(self, x: list[float]) -> float:
        return float(np.polyfit(x, [reading.resident for _, reading in self.readings], 1)[0])


def run() -> Row:
    os.environ.setdefault("MALLOC_ARENA_MAX", "2")
    sound, leaking = soak("service", SECONDS), soak("tests.soak.leaking", LEAKING_SECONDS)
    (_, first), (_, last) = sound.readings[0], sound.readings[-1]
    files, threads = last.files - first.files, last.threads - first.threads
    is_found = leaking.bytes - sound.bytes > LEAK / 2
    return Row(
        "soak of mixed load, swaps, leavers, mutants: memory ≤ 256 bytes a request and ≤ +5 % (long: ≤ 1 MiB in 10 "
        "min), files and threads ±2, 0 × 5xx; a planted leak of 1 KiB a request is found",
        f"{sound.seconds:.0f} s, {sound.statuses.total():,} requests: {sound.bytes:+.0f} bytes a request, "
        f"{sound.growth:+.1%} ({sound.slope:+.1f} MiB in 10 min), {files:+d} files, {threads:+d} threads, "
        f"{sound.failed} × 5xx; with the leak {leaking.bytes:+.0f} bytes",
        sound.is_flat and is_found and max(abs(files), abs(threads)) <= 2 and not sound.failed,
    )


def soak(module: str, seconds: float) -> Soaked:
    with tempfile.TemporaryDirectory() as folder:
        for name in MODELS:
            (Path(folder) / name).symlink_to(SHIPPED / name)
        tiny_bundle.publish(Path(folder))
        with live_server(module, repository=folder, device="cpu", journal=False) as server:
            server.wait_until_ready()
            return asyncio.run(_soak(server, Path(folder), seconds))


async def _soak(server: Server, root: Path, seconds: float) -> Soaked:
    statuses: Counter[int] = Counter()
    asked = list(itertools.islice(requests(), KINDS))
    tasks = [asyncio.create_task(_ask(server, asked, statuses, seed)) for seed in range(CLIENTS)]
    tasks.append(asyncio.create_task(_leave(server, asked)))
    tasks.append(asyncio.create_task(_swap(root)))
    while statuses.total() < WARM:
        await asyncio.sleep(0.1)
    readings = []
    began = time.perf_counter()
    while time.perf_counter() - began < seconds:
        readings.append((statuses.total(), read(server)))
        await asyncio.sleep(tier(0.5, 10.0))
    for task in tasks:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if not isinstance(ended, asyncio.CancelledError):
            raise ended
    return Soaked(statuses, readings, time.perf_counter() - began)


async def _ask(server: Server, asked: list[bytes], statuses: Counter[int], seed: int) -> None:
    """Valid requests, and of every fourth a mutant."""
    generator = random.Random(seed)
    connection = await Connection.open(server.address)
    while True:
        request = generator.choice(asked)
        if generator.random() < 0.25:
            request = _mutant(request, generator)
        answer = await connection.ask(request)
        statuses[answer.status] += 1
        if "close" in answer.header("connection"):
            connection.close()
            connection = await Connection.open(server.address)


def _mutant(request: bytes, generator: random.Random) -> bytes:
    """One byte of the body is another."""
    content = bytearray(request)
    start = content.index(b"\r\n\r\n") + 4
    if start < len(content):
        content[generator.randrange(start, len(content))] = generator.randrange(256)
    return bytes(content)


async def _leave(server: Server, asked: list[bytes]) -> None:
    for request in itertools.cycle(asked):
        with closing(await Connection.open(server.address)) as connection, suppress(TimeoutError):
            await asyncio.wait_for(connection.ask(request), 0.01)
        await asyncio.sleep(LEAVER_SECONDS)


async def _swap(root: Path) -> None:
    for version in itertools.count(2):
        await asyncio.sleep(SWAP_SECONDS)
        await asyncio.to_thread(tiny_bundle.publish, root, version=version, bias=BIASES[version % 2])
        withdraw(root, version - KEPT)
