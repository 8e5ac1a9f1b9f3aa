"""Calls of one graph that wait: they take turns, a job each, so that a long one delays no other by more than a run."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from service.graph import Arrays
from service.jobs import Job, share_a_run


class Entry(NamedTuple):
    """One job of a call, and its place among the call's answers."""

    call: "Call"
    place: int
    job: Job


class Call:
    """What one caller asked for; `answer` is there when the last job is done, or the first has failed for good."""

    def __init__(self, jobs: Sequence[Job]) -> None:
        self.answer: asyncio.Future[list[Arrays]] = asyncio.get_running_loop().create_future()
        self.waiting = deque(Entry(self, place, job) for place, job in enumerate(jobs))
        self.size = sum(job.size for job in jobs)  # of what waits
        self.queue = 0.0  # seconds until the first of its runs began
        self.infer = 0.0  # seconds of its runs
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

    def give(self, place: int, outputs: Arrays, seconds: float) -> None:
        """The outputs of one job, which a run of so many seconds gave."""
        self._outputs[place] = outputs
        self.infer += seconds
        if len(self._outputs) == self._jobs and not self.is_over:
            self.answer.set_result([self._outputs[place] for place in range(self._jobs)])

    def fail(self, error: Exception) -> None:
        if not self.is_over:
            self.answer.set_exception(error)


class Calls:
    """The calls that wait, in the order of their turns; in `weight` no call counts for more than `heaviest`."""

    def __init__(self, heaviest: int) -> None:
        self._heaviest = heaviest
        self._ring: deque[Call] = deque()
        self.size = 0
        self.weight = 0

    def weigh(self, call: Call) -> int:
        return min(call.size, self._heaviest)

    def add(self, call: Call) -> None:
        self._ring.append(call)
        self.size += call.size
        self.weight += self.weigh(call)

    def drop(self, call: Call) -> int:
        """What waits of a call is not to be run; how many jobs that are."""
        dropped = len(call.waiting)
        call.waiting.clear()
        self._lighten(call, call.size)
        return dropped

    def cut(self, most: int) -> list[Entry]:
        """The next batch: the first job in turn, and what can share its run up to the size `most`.

        A call that gave a job and has more goes to the end; one whose job did not fit keeps its place.
        """
        batch: list[Entry] = []
        passed: list[Call] = []
        room = most
        while self._ring and (room > 0 or not batch):
            call = self._ring.popleft()
            if not call.waiting:
                continue
            job = call.waiting[0].job
            if not batch or (job.size <= room and share_a_run(job, batch[0].job)):
                batch.append(call.waiting.popleft())
                self._lighten(call, job.size)
                room -= job.size
                if call.waiting:
                    self._ring.append(call)
            else:
                passed.append(call)
        self._ring.extendleft(reversed(passed))
        return batch

    def _lighten(self, call: Call, size: int) -> None:
        before = self.weigh(call)
        call.size -= size
        self.size -= size
        self.weight -= before - self.weigh(call)
