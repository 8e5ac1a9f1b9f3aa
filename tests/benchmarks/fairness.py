"""What one model's work costs others, and a draw's rows each other: a VAE's p99 beside autoregressive load."""

import asyncio
import os
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from models.repository import SHIPPED
from tests.benchmarks.connection import Connection, post
from tests.benchmarks.rates import rate
from tests.live_server import Server, live_server

SECONDS = float(os.environ.get("REPARAM_FAIRNESS_SECONDS", "5"))
ROUNDS = int(os.environ.get("REPARAM_FAIRNESS_ROUNDS", "3"))
LOADERS = 4  # callers that keep the autoregressive model busy
ROWS = 16
VAE, AUTOREGRESSIVE = "vae-mnist", "ar-mnist"


def run() -> None:
    with bundles(VAE, AUTOREGRESSIVE) as root, live_server(repository=root) as server:
        server.wait_until_ready()
        show(asyncio.run(beside(server, LOADERS, ROWS, ROUNDS, SECONDS)))
        asyncio.run(_at_once(server))


@contextmanager
def bundles(*names: str) -> Iterator[Path]:
    """A repository of these shipped models alone."""
    with tempfile.TemporaryDirectory() as folder:
        for name in names:
            shutil.copytree(SHIPPED / name, Path(folder) / name)
        yield Path(folder)


def show(found: "Beside") -> None:
    print(
        f"  {VAE} sample n = 1, p99 alone {found.alone:.2f} ms, beside {LOADERS} callers of {ROWS} rows of "
        f"{AUTOREGRESSIVE} {found.beside:.2f} ms, ratio {found.ratio:.2f}"
    )


class Beside(NamedTuple):
    """p99 in milliseconds, medians of the rounds."""

    alone: float
    beside: float
    ratio: float


async def beside(server: Server, loaders: int, rows: int, rounds: int, seconds: float) -> Beside:
    """The p99 of a sample, alone and beside the load, in turn."""
    request = post(f"/v2/models/{VAE}/sample", {"seed": 1})
    pairs = []
    for _ in range(rounds):
        alone = await rate(server.address, request, 1, seconds)
        load = [asyncio.create_task(_draw_for_ever(server, seed, rows)) for seed in range(loaders)]
        await asyncio.sleep(0.5)
        pairs.append((alone.p99, (await rate(server.address, request, 1, seconds)).p99))
        for task in load:
            task.cancel()
        await asyncio.gather(*load, return_exceptions=True)
        await asyncio.sleep(0.5)
    medians = (statistics.median(values) for values in zip(*pairs, strict=True))
    return Beside(*medians, statistics.median(beside / alone for alone, beside in pairs))


async def _draw_for_ever(server: Server, seed: int, rows: int) -> None:
    connection = await Connection.open(server.address)
    try:
        while True:
            answer = await connection.ask(
                post(f"/v2/models/{AUTOREGRESSIVE}/sample", {"seed": seed, "num_samples": rows})
            )
            assert answer.status == 200, answer
    finally:
        connection.close()


async def _at_once(server: Server) -> None:
    """The same rows in one request, and in a request each, one after the other."""
    connection = await Connection.open(server.address)

    async def seconds(seed: int, index: int, rows: int) -> float:
        body = {"seed": seed, "index": index, "num_samples": rows}
        began = time.perf_counter()
        assert (await connection.ask(post(f"/v2/models/{AUTOREGRESSIVE}/sample", body))).status == 200
        return time.perf_counter() - began

    ratios = []
    for seed in range(ROUNDS):
        at_once = await seconds(seed, 0, ROWS)
        ratios.append(at_once / sum([await seconds(seed, index, 1) for index in range(ROWS)]))
    connection.close()
    print(
        f"  {AUTOREGRESSIVE} sample: {ROWS} rows at once take {statistics.median(ratios):.2f} of the time of {ROWS} "
        f"single ones, from {min(ratios):.2f} to {max(ratios):.2f}"
    )
