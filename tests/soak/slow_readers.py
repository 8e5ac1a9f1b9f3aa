"""G12: callers who ask for much and never read it take no more memory than the limit, and are let go."""

import socket
import time
from contextlib import ExitStack

from tests.benchmarks.connection import post
from tests.benchmarks.fairness import bundles
from tests.live_server import Server, live_server
from tests.soak.readings import read, wait_for_loader
from tests.soak.table import Row

READERS = 100
MOST_MEBIBYTES = 64.0
MOST_SECONDS = 30.0
GIVEN_UP_SECONDS = 60.0
_MODEL = "vae-mnist"
_LARGEST = post(f"/v2/models/{_MODEL}/sample", {"seed": 1, "num_samples": 4096}, "application/x-npy")  # 12 MiB


def run() -> Row:
    with bundles(_MODEL) as root, live_server(repository=root, device="cpu", journal=False) as server:
        server.wait_until_ready()
        _warm(server)
        wait_for_loader(server)
        before = read(server)
        with ExitStack() as stack:
            for _ in range(READERS):
                stack.enter_context(_caller(server))
            seconds, peak = _watch(server, before.files)
        grown, kept = (memory - before.resident for memory in (peak, read(server).resident))
    return Row(
        f"{READERS} slow readers of the largest answer: memory ≤ +{MOST_MEBIBYTES:g} MiB, closed ≤ {MOST_SECONDS:g} s",
        f"{grown:+.0f} MiB at most, {kept:+.0f} after; all closed after {seconds:.1f} s",
        grown <= MOST_MEBIBYTES and seconds <= MOST_SECONDS,
    )


def _warm(server: Server) -> None:
    """What a run of the largest size takes is no matter of who reads."""
    with server.client() as client:
        for _ in range(4):
            client.post(
                f"/v2/models/{_MODEL}/sample", json={"num_samples": 4096}, headers={"Accept": "application/x-npy"}
            )


def _caller(server: Server) -> socket.socket:
    """One who has asked, with next to no room for what comes."""
    host, _, port = server.address.partition(":")
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.connect((host, int(port)))
    caller.sendall(_LARGEST)
    return caller


def _watch(server: Server, files: int) -> tuple[float, float]:
    """Seconds until the server has none of their connections any more, and the most memory meanwhile.

    The callers cannot tell: what the kernel holds for them comes before its farewell.
    """
    began = time.perf_counter()
    peak = 0.0
    while (seconds := time.perf_counter() - began) < GIVEN_UP_SECONDS:
        found = read(server)
        peak = max(peak, found.resident)
        if found.files <= files and seconds > 1:
            break
        time.sleep(0.1)
    return seconds, peak
