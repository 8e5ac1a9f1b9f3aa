"""G8: versions take over one after another while others ask: nobody is refused, every answer is of one version."""

import itertools
import json
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np

from tests import tiny_bundle
from tests.benchmarks.connection import post
from tests.live_server import Server, live_server
from tests.soak.load import Outcome, good_load
from tests.soak.readings import resident
from tests.soak.table import Row
from tests.soak.tier import tier

PUBLISHERS = 2
KEPT = 6  # versions in the repository; older ones are withdrawn
BIASES = (0.0, 1.0)  # of even versions, of odd ones
MOST_GROWTH = 1.10
REQUEST = post("/v2/models/tiny/decode", {"z": [[0, 0]], "seed": 1, "outputs": ["mean"]})


class Swapped(NamedTuple):
    before: Outcome
    meanwhile: Outcome
    grown: float  # resident memory of the process that serves, after over before


def run() -> Row:
    swaps = tier(50, 2_000)
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as server:
        found = swap(server, Path(folder), swaps, share=0.8)
    failed = sum(found.meanwhile.failed.values())
    slower = found.meanwhile.p99 / found.before.p99
    wrong = mixed(found.meanwhile)
    return Row(
        "hot swaps at 80 % load by two publishers: 0 failed, bytes are those of the version named, "
        "p99 ≤ 2×, memory ≤ +10 %",
        f"{swaps:,} versions, {len(found.meanwhile.bodies):,} seen to answer: {failed} of "
        f"{found.meanwhile.answered:,} failed, {wrong} with other bytes; p99 "
        f"{found.before.p99:.1f} → {found.meanwhile.p99:.1f} ms ({slower:.1f}×), memory {found.grown - 1:+.1%}",
        failed == wrong == 0 and slower <= 2 and found.grown <= MOST_GROWTH,
    )


def serving(root: Path):
    _publish(root, 1)
    return live_server(repository=root, device="cpu", journal=False)


def swap(server: Server, root: Path, swaps: int, share: float = 0.5) -> Swapped:
    """So many new versions, all made beforehand; each publisher goes on a moment after its own answers."""
    server.wait_until_ready()
    numbers, turn = itertools.count(2), threading.Lock()
    before = 0.0

    def publisher(seed: int) -> None:
        generator = random.Random(seed)
        for version in _each(numbers, turn, swaps + 1):
            (made / "tiny" / str(version)).rename(root / "tiny" / str(version))
            server.wait_for(
                lambda client, version=version: client.get(f"/v2/models/tiny/versions/{version}/ready"), pause=0.05
            )
            withdraw(root, version - KEPT)
            time.sleep(generator.uniform(0.01, 0.5))

    with tempfile.TemporaryDirectory(dir=root.parent) as folder:
        made = Path(folder)
        for version in range(2, swaps + 2):
            _publish(made, version)
        with good_load(server, REQUEST, share) as load, ThreadPoolExecutor(PUBLISHERS) as threads:
            before = resident(server)
            list(threads.map(publisher, range(PUBLISHERS)))
    return Swapped(load.before, load.outcome, resident(server) / before)


def mixed(outcome: Outcome) -> int:
    """Answers whose bytes are not those of the version that its header names."""
    return sum(
        len(bodies) != 1 or not _is_of(int(model.partition("/")[2]), json.loads(bodies[0]))
        for model, bodies in outcome.bodies.items()
    )


def _is_of(version: int, answer: dict) -> bool:
    logits = tiny_bundle.logits(np.zeros((1, 2)), bias=BIASES[version % 2])
    return answer["version"] == version and np.allclose(answer["mean"], 1 / (1 + np.exp(-logits)), atol=1e-6)


def _each(numbers: Iterator[int], turn: threading.Lock, last: int) -> Iterator[int]:
    """The next number that nobody has taken, up to the last."""
    while True:
        with turn:
            number = next(numbers)
        if number > last:
            return
        yield number


def _publish(root: Path, version: int) -> None:
    tiny_bundle.publish(root, version=version, operations=["decode"], bias=BIASES[version % 2])


def withdraw(root: Path, version: int) -> None:
    """Whole, as it came."""
    if (folder := root / "tiny" / str(version)).is_dir():
        gone = root / f".withdrawn-{version}"
        folder.rename(gone)
        shutil.rmtree(gone)
