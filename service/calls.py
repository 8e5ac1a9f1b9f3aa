"""What one caller asked of a graph in one go."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from service.graph import Arrays
from service.jobs import Job

Take = Callable[[int, Arrays], None]  # a job's place among those of its call, and its outputs


class Entry(NamedTuple):
    """One job of a call, and its place among the call's answers."""

    call: "Call"
    place: int
    job: Job


class Call:
    """What one caller asked for, so many rows times samples, in jobs that it has once it is let in.

    `take` gets the outputs of each job. `done` is set when it has those of the last, or when the first has failed for
    good.
    """

    def __init__(self, size: int, turn: int, take: Take, caller: str = "") -> None:
        self.caller = caller
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting: deque[Entry] = deque()
        self.size = size  # of what waits
        self.turn = turn  # the most of it that is one job
        self.queue = 0.0  # seconds until the first of its runs began
        self.infer = 0.0  # seconds of its runs
        self.draw = 0.0  # those of them in which noise was drawn
        self._since = time.perf_counter()
        self._has_begun = False
        self._take = take
        self._missing: set[int] = set()  # places

    @property
    def is_over(self) -> bool:
        return self.done.done()

    def ask(self, jobs: Iterable[Job]) -> None:
        """It is let in: what waits is these jobs, and of their size."""
        self.waiting.extend(Entry(self, place, job) for place, job in enumerate(jobs))
        self._missing = {entry.place for entry in self.waiting}
        self.size = sum(entry.job.size for entry in self.waiting)

    def begin(self, now: float) -> bool:
        """A run of it begins; whether it is the first."""
        if self._has_begun:
            return False
        self._has_begun = True
        self.queue = now - self._since
        return True

    def give(self, place: int, outputs: Arrays, seconds: float, drawing: float) -> None:
        """The outputs of one job, which a run of so many seconds gave, some of them for its noise; once is enough."""
        if self.is_over or place not in self._missing:
            return
        self.infer += seconds
        self.draw += drawing
        self._take(place, outputs)
        self._missing.discard(place)
        if not self._missing:
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.is_over:
            self.done.set_exception(error)
