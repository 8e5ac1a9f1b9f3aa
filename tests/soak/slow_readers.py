"""G12: callers who ask for much and never read it take no more memory than the limit, and are let go."""

import select
import socket
import time
from contextlib import ExitStack

from tests.benchmarks.connection import post
from tests.benchmarks.fairness import bundles
from tests.live_server import Server, live_server
from tests.soak.readings import read
from tests.soak.table import Row

READERS = 100
MOST_MEBIBYTES = 64.0
MOST_SECONDS = 30.0
GIVEN_UP_SECONDS = 60.0
_MODEL = "vae-mnist"
_LARGEST = post(f"/v2/models/{_MODEL}/sample", {"seed": 1, "num_samples": 4096}, "application/x-npy")  # 12 MiB
_GONE = select.POLLHUP | select.POLLERR | select.POLLRDHUP


def run() -> Row:
    with bundles(_MODEL) as root, live_server(repository=root, device="cpu", journal=False) as server:
        server.wait_until_ready()
        _warm(server)
        before = read(server).resident
        with ExitStack() as stack:
            callers = [stack.enter_context(_caller(server)) for _ in range(READERS)]
            closed, seconds, peak = _watch(server, callers)
        after = read(server).resident
    return Row(
        f"{READERS} slow readers of the largest answer: memory ≤ +{MOST_MEBIBYTES:g} MiB, closed ≤ {MOST_SECONDS:g} s",
        f"{peak - before:+.0f} MiB at most, {after - before:+.0f} after; {closed} closed after ≤ {seconds:.1f} s",
        peak - before <= MOST_MEBIBYTES and closed == READERS and seconds <= MOST_SECONDS,
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


def _watch(server: Server, callers: list[socket.socket]) -> tuple[int, float, float]:
    """How many were closed, when the last of them was, and the most memory meanwhile."""
    poll = select.poll()
    for caller in callers:
        poll.register(caller, select.POLLRDHUP)
    closed, last, peak, began = 0, 0.0, 0.0, time.perf_counter()
    while closed < len(callers) and time.perf_counter() < began + GIVEN_UP_SECONDS:
        peak = max(peak, read(server).resident)
        for number, event in poll.poll(100):
            if event & _GONE:
                poll.unregister(number)
                closed, last = closed + 1, time.perf_counter() - began
    return closed, last, peak
