"""How the service starts and answers."""

import statistics
import time
from collections.abc import Callable, Iterator

import httpx
import psutil

from tests.live_server import live_server

STARTS = 5
REQUESTS = 300
MEBIBYTE = 2**20


def run() -> None:
    print("service start to the first answered sample, and resident memory with all shipped bundles ready")
    starts = [start() for _ in range(STARTS)]
    for name, unit in (("first sample", "s"), ("all ready", "s"), ("resident", "MiB")):
        values = [row[name] for row in starts]
        print(
            f"  {name:<14} median {statistics.median(values):7.2f} {unit}, from {min(values):.2f} to {max(values):.2f}"
        )
    print(f"one connection, {REQUESTS} requests one after the other; milliseconds")
    with live_server() as server, server.client() as client:
        server.wait_until_ready()
        for name, ask in workloads(client):
            show(name, ask)


def start() -> dict[str, float]:
    """One cold start: when the first sample was answered, when all was ready, and the memory then."""
    began = time.perf_counter()
    with live_server() as server:
        sample = server.wait_for(lambda client: client.post("/v2/models/vae-mnist/sample", json={"seed": 1})) - began
        server.wait_until_ready()
        ready = time.perf_counter() - began
        resident = psutil.Process(server.pid).memory_info().rss / MEBIBYTE
    return {"first sample": sample, "all ready": ready, "resident": resident}


def workloads(client: httpx.Client) -> Iterator[tuple[str, Callable[[], httpx.Response]]]:
    model = "/v2/models/vae-mnist"
    x = client.post(f"{model}/sample", json={"seed": 1, "num_samples": 16}).json()["x"]
    yield "sample 1", lambda: client.post(f"{model}/sample", json={"seed": 1})
    yield "sample 64", lambda: client.post(f"{model}/sample", json={"seed": 1, "num_samples": 64})
    yield "reconstruct 16", lambda: client.post(f"{model}/reconstruct", json={"x": x})
    yield "score 16, K = 16", lambda: client.post(f"{model}/score", json={"x": x, "samples": 16})


def show(name: str, ask: Callable[[], httpx.Response]) -> None:
    times = []
    for _ in range(REQUESTS):
        began = time.perf_counter()
        ask().raise_for_status()
        times.append(1000 * (time.perf_counter() - began))
    cuts = statistics.quantiles(times, n=100)
    print(f"  {name:<18} p50 {cuts[49]:7.2f}  p99 {cuts[98]:7.2f}")
