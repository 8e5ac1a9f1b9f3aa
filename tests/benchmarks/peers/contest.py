"""The contest: every contestant in turn, several times over, each asked for every cell."""

import os
import statistics
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from models.repository import SHIPPED, Repository
from tests.benchmarks.peers.cells import AUTOREGRESSIVE, CELLS, FIRST, VAE, Cell
from tests.benchmarks.peers.contestants import CONTESTANTS, FIXED, OURS, Contestant
from tests.benchmarks.peers.environments import NotInstalled
from tests.benchmarks.peers.limits import limits
from tests.benchmarks.peers.load import LoadFailed, load
from tests.benchmarks.peers.running import NotStarted, Running, running
from training.exported import Exported

SECONDS = int(os.environ.get("REPARAM_PEERS_SECONDS", "2"))  # of each measurement
ROUNDS = int(os.environ.get("REPARAM_PEERS_ROUNDS", "3"))
CALLERS = 8  # who ask each server before anything is measured
_NATS = 5.0  # more than the mean ELBO of 16 images differs with other noise


class Rate(NamedTuple):
    """Requests a second, and milliseconds: of waiting, and of the processor for a request."""

    requests: float
    p50: float
    p99: float
    computed: float


class Contest:
    """What was measured of whom: one value a round, and of rates none where the load failed."""

    def __init__(self) -> None:
        bundle = Repository(SHIPPED).read(VAE, Repository(SHIPPED).versions(VAE)[-1])
        exported = Exported(bundle.manifest.operations, bundle.files)
        self.images = exported.run("sample", exported.draw("sample", index=0, rows=16))["x"]
        feeds = {"x": self.images, **exported.draw("score", index=0, rows=16, samples=range(1))}
        self._elbo = float(exported.run("score", feeds)["elbo"].mean())
        self.rates: defaultdict[tuple[str, Cell], dict[int, Rate]] = defaultdict(dict)
        self.cold: defaultdict[str, list[float]] = defaultdict(list)
        self.resident: defaultdict[str, list[float]] = defaultdict(list)
        self.limits: defaultdict[tuple[str, Cell], list[float]] = defaultdict(list)
        self.missing: dict[str, str] = {}

    def run(self) -> None:
        bounds = limits(self.images)
        for turn in range(ROUNDS):
            for limit in bounds:
                self.limits[limit.name, limit.cell].append(limit.rate(SECONDS))
            for contestant in CONTESTANTS:
                print(f"  round {turn + 1} of {ROUNDS}: {contestant.name}", flush=True)
                for bundle in (VAE, AUTOREGRESSIVE):
                    self._measure(turn, contestant, [cell for cell in CELLS if cell.bundle == bundle])

    def rate(self, name: str, cell: Cell) -> Rate | None:
        """The median of each column; None if nothing was measured."""
        rates = self.rates[name, cell]
        return Rate(*map(statistics.median, zip(*rates.values(), strict=True))) if rates else None

    def ratio(self, name: str, cell: Cell) -> float | None:
        """How many times the requests of another Reparam answered, each round by itself, in the median."""
        ours, theirs = (self.rates[each, cell] for each in (OURS.name, name))
        ratios = [ours[turn].requests / theirs[turn].requests for turn in ours.keys() & theirs.keys()]
        return statistics.median(ratios) if ratios else None

    def _measure(self, turn: int, contestant: Contestant, cells: list[Cell]) -> None:
        """One start for these cells; a contestant that fails is told of, and not asked again."""
        if contestant is FIXED:
            cells = [cell for cell in cells if cell.bundle == VAE and cell.rows == 1]
        if contestant.name in self.missing or not cells:
            return
        first = contestant.dialect.ask(FIRST._replace(bundle=cells[0].bundle), self.images)
        try:
            with running(contestant, cells[0].bundle, first) as server:
                with suppress(LoadFailed):
                    load(server.address, first, CALLERS, SECONDS)  # nobody is measured cold
                for cell in cells:
                    with suppress(LoadFailed):
                        self.rates[contestant.name, cell][turn] = self._rate(contestant, server, cell)
                if cells[0].bundle == VAE:
                    self.cold[contestant.name].append(server.cold)
                    self.resident[contestant.name].append(server.resident)
        except (NotInstalled, NotStarted, OSError, ValueError) as error:
            print(f"    {contestant.name}: {error}", flush=True)
            self.missing[contestant.name] = str(error)

    def _rate(self, contestant: Contestant, server: Running, cell: Cell) -> Rate:
        ask = contestant.dialect.ask(cell, self.images)
        if contestant is not FIXED:
            self._check(cell, contestant.dialect.read(cell, server.ask(ask)))
        before = server.computed
        found = load(server.address, ask, cell.connections, SECONDS)
        return Rate(found.requests, found.p50, found.p99, 1e3 * (server.computed - before) / found.answers)

    def _check(self, cell: Cell, answer: np.ndarray) -> None:
        """ValueError unless these are images of zeros and ones, or ELBOs such as the graph alone gives."""
        if cell.verb == "sample":
            right = answer.shape == (cell.rows, 28, 28) and set(np.unique(answer)) == {0, 1}
        else:
            right = answer.shape == (cell.rows,) and abs(answer.mean() - self._elbo) < _NATS
        if not right:
            raise ValueError(f"{cell.title}: a wrong answer of shape {answer.shape}")
