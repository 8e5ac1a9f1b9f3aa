"""A GPU beside the CPU: whether rows keep their bits there, and rows a second, without the service and with it."""

import asyncio
import os
import statistics
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from models import golden, noise
from models.errors import BundleError
from models.manifest import SAMPLED, OperationName
from models.repository import SHIPPED, Bundle, Repository
from service.graph import Arrays, Graph, Provider, provider
from service.inspection import inspect
from service.loading import fill, prove
from tests.benchmarks.connection import post
from tests.benchmarks.rates import rate
from tests.live_server import live_server

CPU: Provider = "CPUExecutionProvider"
ROWS, LOOPED_ROWS, SAMPLES = 256, 32, 4
SMALL = (1, 4, 16, 64)  # rows of runs, those that are fewer
SECONDS = float(os.environ.get("REPARAM_DEVICE_SECONDS", "0.5"))  # of each measurement
JSON, NPY = "application/json", "application/x-npy"


class Asked(NamedTuple):
    """What so many connections ask over and over; `rows` are those of one answer."""

    path: str
    rows: int
    connections: int
    body: dict[str, Any] = {}
    accept: str = JSON


ASKED = (
    Asked("vae-mnist/sample", 1, 1),
    Asked("vae-mnist/sample", 1, 64),
    Asked("vae-mnist/sample", 1024, 8, {"num_samples": 1024}, NPY),
    Asked("vae-conv-mnist/sample", 1024, 8, {"num_samples": 1024}, NPY),
    Asked("vae-mnist/score", 16, 8, {"x": np.eye(28, dtype=int)[None].repeat(16, 0).tolist(), "samples": 64}),
    Asked("ar-mnist/sample", 16, 8, {"num_samples": 16}, NPY),
)


def run() -> None:
    on = provider("auto")
    if on == CPU:
        print("device: left out, for there is only the CPU here")
        return
    print(f"Of {ROWS} rows, or {LOOPED_ROWS} of a graph that loops, how many are other bits than in one run:\n")
    small = ", ".join(map(str, SMALL))
    print(f"| graph | TF32 | golden rows | run again | in runs of {small} | farthest from the CPU | rows/s | CPU |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for name, version in Repository(SHIPPED).list():
        bundle = Repository(SHIPPED).read(name, version)
        for operation in bundle.manifest.operations:
            for tf32 in (False, True):
                print(_line(bundle, operation, on, tf32=tf32), flush=True)
    print("\n| asked | rows | connections | rows/s | p50, ms | p99, ms | on the CPU: rows/s | p50, ms | p99, ms |")
    print("| --- |" + " --- |" * 8)
    there, here = (_served(device) for device in ("cuda", "cpu"))
    for asked, *found in zip(ASKED, there, here, strict=True):
        print(f"| {asked.path} | {asked.rows} | {asked.connections} | {' | '.join(found)} |", flush=True)


def _line(bundle: Bundle, name: OperationName, on: Provider, *, tf32: bool) -> str:
    """What one operation's graph computes on the device, as a line of the table."""
    manifest = bundle.manifest
    operation = manifest.operations[name]
    loops = inspect(bundle.files[operation.graph], operation.graph, manifest)
    here, there = (Graph(bundle.files[operation.graph], each, loops=loops, tf32=tf32) for each in (CPU, on))
    holds = False
    with suppress(BundleError):
        prove(bundle, name, there)
        holds = True
    feeds, outputs = _feeds(bundle, name, LOOPED_ROWS if loops else ROWS), operation.outputs
    whole, on_cpu = there.run(feeds, outputs), here.run(feeds, outputs)
    again = _unlike(whole, there.run(feeds, outputs))
    small = [_unlike(whole, _in_parts(there, feeds, outputs, rows)) for rows in SMALL if rows < _count(feeds)]
    apart = max(float(np.abs(whole[each].astype(float) - on_cpu[each]).max()) for each in outputs)
    rates = [_rows_a_second(graph, feeds, outputs) for graph in (there, here)]
    return (
        f"| {manifest.name} {name}{' (loops)' if loops else ''} | {'on' if tf32 else 'off'} | "
        f"{'hold' if holds else 'fail'} | {again} | {', '.join(map(str, small))} | {apart:.1e} | "
        f"{rates[0]:,.0f} | {rates[1]:,.0f} |"
    )


def _feeds(bundle: Bundle, name: OperationName, rows: int) -> Arrays:
    """The golden rows' data over and over, with noise of their own."""
    manifest = bundle.manifest
    given = golden.unpack(bundle.files[manifest.golden.file], name).inputs
    drawn = {
        tensor: noise.draw(
            kind,
            tensor,
            manifest.shape(name, tensor),
            seed=1,
            rows=rows,
            samples=range(SAMPLES) if name in SAMPLED else None,
        )
        for tensor, kind in manifest.operations[name].noise.items()
    }
    data = {tensor: np.resize(given[tensor], (rows, *given[tensor].shape[1:])) for tensor in manifest.inputs(name)}
    return {**data, **drawn, **fill(manifest, name, rows)}


def _count(feeds: Arrays) -> int:
    return len(next(iter(feeds.values())))


def _in_parts(graph: Graph, feeds: Arrays, outputs: Sequence[str], rows: int) -> Arrays:
    parts = [
        graph.run({tensor: array[first : first + rows] for tensor, array in feeds.items()}, outputs)
        for first in range(0, _count(feeds), rows)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in outputs}


def _unlike(some: Arrays, others: Arrays) -> int:
    """Rows of which some bit of some output is another."""
    unlike = [(some[name] != others[name]).reshape(len(some[name]), -1).any(axis=1) for name in some]
    return int(np.any(unlike, axis=0).sum())


def _rows_a_second(graph: Graph, feeds: Arrays, outputs: Sequence[str]) -> float:
    times = []
    until = time.perf_counter() + SECONDS
    while not times or time.perf_counter() < until:
        began = time.perf_counter()
        graph.run(feeds, outputs)
        times.append(time.perf_counter() - began)
    return _count(feeds) / statistics.median(times)


def _served(device: str) -> list[str]:
    """Rows a second, and p50 and p99 in milliseconds, of each thing that is asked."""
    found = []
    with live_server(device=device) as server:
        server.wait_until_ready()
        for asked in ASKED:
            request = post(f"/v2/models/{asked.path}", {"seed": 1, **asked.body}, asked.accept)
            seen = asyncio.run(rate(server.address, request, asked.connections, 4 * SECONDS))
            found.append(f"{asked.rows * seen.requests:,.0f} | {seen.p50:.1f} | {seen.p99:.1f}")
    return found
