"""How long a start takes to the first sample of one model, and the memory then and a little later, beside FastAPI."""

import statistics
import time

import numpy as np

from tests.benchmarks.peers.cells import FIRST
from tests.benchmarks.peers.contestants import OURS, PEERS, Contestant
from tests.benchmarks.peers.environments import NotInstalled
from tests.benchmarks.peers.running import running

STARTS = 5
LATER = 8.0  # seconds, in which the process that tries bundles ends


def run() -> None:
    contestants = (OURS, PEERS[0])
    try:
        found = {each.name: [] for each in contestants}
        for _ in range(STARTS):
            for each in contestants:
                found[each.name].append(_start(each))
    except NotInstalled as error:
        print(f"start: left out, for {error}")
        return
    for name, starts in found.items():
        seconds, first, later = (statistics.median(values) for values in zip(*starts, strict=True))
        print(f"  {name}: first sample after {seconds:.2f} s; {first:.0f} MiB, {later:.0f} MiB after {LATER:.0f} s")


def _start(contestant: Contestant) -> tuple[float, float, float]:
    """Seconds, and mebibytes at once and later."""
    first = contestant.dialect.ask(FIRST, np.zeros((1, 28, 28)))
    with running(contestant, FIRST.bundle, first) as server:
        at_once = server.resident
        time.sleep(LATER)
        return server.cold, at_once, server.resident
