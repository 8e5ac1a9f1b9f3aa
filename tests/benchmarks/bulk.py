"""Rows a second of `reparam score`, beside those of the service: the same requests, prepared, at 8 connections."""

import asyncio
import io
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from service.bulk.scorer import rows_of_a_part
from tests.benchmarks.connection import Connection, request
from tests.live_server import ROOT, Server, live_server

MODEL = "vae-mnist"
ROWS = int(os.environ.get("REPARAM_BULK_ROWS", "16384"))
SAMPLES = (16, 64)
CONNECTIONS = 8
ROUNDS = 3


def run() -> None:
    x = (np.random.default_rng(0).random((ROWS, 28, 28)) < 0.13).astype(np.uint8)
    with live_server(journal=False) as server, tempfile.TemporaryDirectory() as folder:
        server.wait_until_ready()
        np.save(Path(folder) / "x.npy", x)
        for samples in SAMPLES:
            pairs = [(peak(server, x, samples), command(server, Path(folder), samples)) for _ in range(ROUNDS)]
            rates = [statistics.median(values) for values in zip(*pairs, strict=True)]
            ratios = [ours / most for most, ours in pairs]
            print(
                f"  {MODEL}, K = {samples:>2}, {ROWS} rows: service {rates[0]:6.0f} rows/s, reparam score "
                f"{rates[1]:6.0f}, ratio {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}"
            )


def peak(server: Server, x: np.ndarray, samples: int) -> float:
    rows = rows_of_a_part(samples, x[0].size)
    requests = [_request(x[start : start + rows], start, samples) for start in range(0, len(x), rows)]
    return asyncio.run(_rate(server.address, requests, len(x)))


async def _rate(address: str, requests: list[bytes], rows: int) -> float:
    waiting = iter(requests)

    async def caller() -> None:
        connection = await Connection.open(address)
        for each in waiting:
            answer = await connection.ask(each)
            assert answer.status == 200, answer
        connection.close()

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
    return rows / (time.perf_counter() - began)


def _request(x: np.ndarray, index: int, samples: int) -> bytes:
    file = io.BytesIO()
    np.save(file, x)
    path = f"/v2/models/{MODEL}/score?seed=0&index={index}&samples={samples}"
    return request(path, file.getvalue(), {"Content-Type": "application/x-npy", "Accept": "application/json"})


def command(server: Server, folder: Path, samples: int) -> float:
    """From the start of its process to its end."""
    arguments = [
        MODEL,
        folder / "x.npy",
        "-o",
        folder / "scores.csv",
        "--samples",
        samples,
        "--force",
        "--url",
        server.url,
    ]
    command = [sys.executable, "-m", "service.command", "score", *map(str, arguments)]
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return ROWS / (time.perf_counter() - began)
