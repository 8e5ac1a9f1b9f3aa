"""What one caller asked of a graph in one go."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from service.graph import Arrays
from service.jobs import Job


class Entry(NamedTuple):
    """One job of a call, and its place among the call's answers."""

    call: "Call"
    place: int
    job: Job


class Call:
    """What one caller asked for; `answer` is there when the last job is done, or the first has failed for good."""

    def __init__(self, jobs: Sequence[Job], caller: str = "") -> None:
        self.caller = caller
        self.answer: asyncio.Future[list[Arrays]] = asyncio.get_running_loop().create_future()
        self.waiting = deque(Entry(self, place, job) for place, job in enumerate(jobs))
        self.size = sum(job.size for job in jobs)  # of what waits
        self.queue = 0.0  # seconds until the first of its runs began
        self.infer = 0.0  # seconds of its runs
        self.draw = 0.0  # those of them in which noise was drawn
        self._since = time.perf_counter()
        self._has_begun = False
        self._jobs = len(jobs)
        self._outputs: dict[int, Arrays] = {}

    @property
    def is_over(self) -> bool:
        return self.answer.done()

    def begin(self, now: float) -> bool:
        """A run of it begins; whether it is the first."""
        if self._has_begun:
            return False
        self._has_begun = True
        self.queue = now - self._since
        return True

    def give(self, place: int, outputs: Arrays, seconds: float, drawing: float) -> None:
        """The outputs of one job, which a run of so many seconds gave, some of them for its noise."""
        self._outputs[place] = outputs
        self.infer += seconds
        self.draw += drawing
        if len(self._outputs) == self._jobs and not self.is_over:
            self.answer.set_result([self._outputs[place] for place in range(self._jobs)])

    def fail(self, error: Exception) -> None:
        if not self.is_over:
            self.answer.set_exception(error)
