"""G3: whoever asks whether the service is alive is answered at once, while the largest bodies come in."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import numpy as np

from tests.benchmarks.connection import Connection, request
from tests.benchmarks.fairness import bundles
from tests.benchmarks.mixture import as_npy
from tests.live_server import ROOT, Server, live_server
from tests.soak.overload import ALIVE
from tests.soak.table import Row
from tests.soak.tier import tier

MODEL = "vae-mnist"
HERTZ = 100
_HEAD_START = 3.0  # seconds until the streams are under way
_ROWS = 784 * 4  # bytes of one
_DIGITS = json.dumps({"x": np.zeros((1_300, 28, 28), int).tolist(), "samples": 1}).encode()  # 4 MiB is the limit
_FLOATS = json.dumps({"x": np.full((280, 28, 28), 0.123456789012345).tolist(), "samples": 1}).encode()
_NPY = as_npy(np.zeros((64 * 2**20 // _ROWS - 1, 28, 28)))
BODIES = (
    request(f"/v2/models/{MODEL}/score", _DIGITS, {"Content-Type": "application/json"}),
    request(f"/v2/models/{MODEL}/score", _FLOATS, {"Content-Type": "application/json"}),  # refused when it is read
    request(f"/v2/models/{MODEL}/encode", _NPY, {"Content-Type": "application/x-npy"}),
)


def run() -> Row:
    with bundles(MODEL) as root, live_server(repository=root, device="cpu", request_rows=100_000) as server:
        server.wait_until_ready()
        with _streams(server):
            took, failed = asyncio.run(probe(server, tier(10.0, 60.0)))
    p99 = statistics.quantiles(took, n=100, method="inclusive")[98]
    return Row(
        "/livez p99 ≤ 50 ms, at most 250 ms, while bodies of the largest size come back to back",
        f"{len(took):,} probes: p99 {p99:.0f} ms, at most {max(took):.0f} ms, {failed} failed",
        p99 <= 50 and max(took) <= 250 and not failed,
    )


async def probe(server: Server, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of each answer, and how many were none."""
    connection = await Connection.open(server.address)
    took, failed = [], 0
    until = time.perf_counter() + seconds
    while (began := time.perf_counter()) < until:
        failed += (await connection.ask(ALIVE)).status != 200
        took.append(1000 * (time.perf_counter() - began))
        await asyncio.sleep(1 / HERTZ)
    connection.close()
    return took, failed


@contextmanager
def _streams(server: Server) -> Iterator[None]:
    """Bodies that come from a process of their own: to write them takes it as long as the service to read them."""
    with subprocess.Popen([sys.executable, "-m", "tests.soak.health", server.address], cwd=ROOT) as process:
        time.sleep(_HEAD_START)
        try:
            yield
        finally:
            process.terminate()


async def _stream(address: str, body: bytes) -> None:
    while True:
        connection = await Connection.open(address)
        with suppress(OSError, EOFError):
            await connection.ask(body)
        connection.close()


async def _stream_all(address: str) -> None:
    await asyncio.gather(*(_stream(address, body) for body in BODIES))


if __name__ == "__main__":
    asyncio.run(_stream_all(sys.argv[1]))
