"""Merge concurrent calls of one graph: what queued while a run was under way is the next run."""

import asyncio
import math
import time
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple, cast

from service import trace
from service.admission import Admission
from service.calls import Call, Entry, Take
from service.errors import QueueFull
from service.graph import Graph, Stop
from service.jobs import Job
from service.metrics import Metrics
from service.outcome import Outcome, compute
from service.waiting import Waiting
from service.workers import Workers

TOGETHER = 256  # rows (times samples) of a run that calls share: more gain them little, and leave other workers without

_SHORT = 0.002  # seconds: work that is over before a thread would have taken it is done on the event loop itself
_LONG = 0.02  # seconds: work that is not to wait for the run under way if there is a worker
_LONGEST = 0.03  # seconds: a job that is larger than a run that calls share; others wait for it


class _Run(NamedTuple):
    """A run under way."""

    batch: list[Entry]
    stop: Stop


class Batcher:
    """One a graph file, on one event loop. What queued while a run was under way is the next, but for a lot of work.

    A run that fails or is stopped costs none but those to blame: what it was for is run again, one job at a time.
    """

    def __init__(
        self,
        graph: Graph,
        workers: Workers,
        metrics: Metrics,
        labels: tuple[str, str, str],
        *,
        batch_rows: int,
        queue_rows: int,
        queue_seconds: float = math.inf,
        seconds_per_row: float = 0.0,
    ) -> None:
        self._graph = graph
        self._workers = workers
        self._dropped = metrics.cancelled.labels("queue")
        self._stopped = metrics.cancelled.labels("run")
        self._rejected = metrics.rejected.labels("queue_full")
        self._queue_duration = metrics.queue_duration.labels(*labels)
        self._infer_duration = metrics.infer_duration.labels(*labels)
        self._run_rows = metrics.batch_rows.labels(*labels)
        self._queue_rows = metrics.queue_rows.labels(*labels)
        self._batch_rows = batch_rows
        self._seconds_per_row = seconds_per_row
        self.shared_rows = min(batch_rows, TOGETHER)
        self._waiting = Waiting(self.shared_rows, heaviest=max(queue_rows // 2, self.shared_rows))
        self._admission = Admission(self._waiting, queue_rows, queue_seconds, seconds_per_row)
        self._under_way: list[_Run] = []
        self._working: set[asyncio.Task[None]] = set()

    @property
    def job_rows(self) -> int:
        """Rows (times samples) of one job: as many as a run that calls share, or more where those are done soon.

        How soon is known of all that the graph was asked for of late, in the mean.
        """
        soon = int(_LONGEST / self._seconds_per_row) if self._seconds_per_row else self._batch_rows
        return min(self._batch_rows, max(self.shared_rows, soon))

    @property
    def is_busy(self) -> bool:
        return bool(self._working)

    async def run(self, size: int, jobs: Iterable[Job], take: Take) -> None:
        """Give `take` the outputs of each job, `size` rows times samples together, as they come.

        QueueFull if so much waits already that they would not be there in time; then no job is looked at.
        """
        here = trace.current()
        call = Call(size, self.job_rows, take, here.caller or here.address)
        self._admit(call, here.deadline)
        call.ask(jobs)
        self._waiting.add(call)
        self._queue_rows.set(self._waiting.size)
        if not self._working:
            self._admission.begin()
        if not self._working or (len(self._working) < self._workers.runs and self._is_worth_a_run()):
            self._working.add(asyncio.create_task(self._work()))
        try:
            await call.done
        finally:
            self._leave(call)
        here.queue += call.queue
        here.draw += call.draw
        here.infer += call.infer

    def _admit(self, call: Call, deadline: float) -> None:
        running = sum(entry.job.size for run in self._under_way for entry in run.batch)
        try:
            self._admission.check(call, running, deadline)
        except QueueFull:
            self._rejected.inc()
            raise

    def _leave(self, call: Call) -> None:
        """The caller has its answer or has gone: what waits of the call is dropped, and what runs for it is stopped.

        A run that others wait for goes on, but not of a graph that loops: its row may be the one that never ends.
        """
        if call.waiting:
            self._dropped.inc(self._waiting.drop(call))
            self._queue_rows.set(self._waiting.size)
        enough = any if self._graph.loops else all
        for run in self._under_way:
            if enough(entry.call.is_over for entry in run.batch) and run.stop.set():
                self._stopped.inc()

    def _is_worth_a_run(self) -> bool:
        """What waits is enough for one, or so much work that it is not to wait for the run under way."""
        size = self._waiting.size
        return size >= self.shared_rows or size * self._seconds_per_row >= _LONG

    def _is_short(self) -> bool:
        size = min(self._waiting.size, self.job_rows)
        return self._graph.is_steady and 0 < size * self._seconds_per_row <= _SHORT

    async def _work(self) -> None:
        try:
            while self._waiting.size:
                if self._is_short():
                    await self._run_next(in_thread=False)
                    await asyncio.sleep(0)  # who has an answer takes it, and who asks is heard
                else:
                    async with self._workers.one(loops=self._graph.loops):
                        await self._run_next(in_thread=True)
        finally:
            self._working.discard(cast(asyncio.Task[None], asyncio.current_task()))

    async def _run_next(self, *, in_thread: bool) -> None:
        if batch := self._waiting.cut():
            self._queue_rows.set(self._waiting.size)
            self._note_wait(batch)
            await self._run(batch, in_thread=in_thread)

    async def _run(self, batch: list[Entry], *, in_thread: bool) -> None:
        run = _Run(batch, Stop())
        self._under_way.append(run)
        work = partial(compute, self._graph, [entry.job for entry in batch], run.stop)
        try:
            outcome = await self._workers.run(work, run.stop) if in_thread else work()
            self._hand_out(batch, outcome)
            return
        except Exception as error:  # whatever it is, the caller gets it
            failure = error
        finally:
            self._under_way.remove(run)
        await self._run_each(batch, failure)

    async def _run_each(self, batch: list[Entry], failure: Exception) -> None:
        """Whatever failed a run of several jobs, it is told to the one that fails alone too."""
        if len(batch) == 1:
            batch[0].call.fail(failure)
            self._leave(batch[0].call)
            return
        for entry in batch:
            if not entry.call.is_over:
                await self._run([entry], in_thread=True)

    def _hand_out(self, batch: list[Entry], outcome: Outcome) -> None:
        size = sum(entry.job.size for entry in batch)
        self._seconds_per_row = 0.8 * self._seconds_per_row + 0.2 * outcome.computed / size
        self._admission.note(size)
        self._run_rows.observe(size)
        self._infer_duration.observe(outcome.seconds)
        for entry, outputs in zip(batch, outcome.outputs, strict=True):
            entry.call.give(entry.place, outputs, outcome.seconds, outcome.drawing)

    def _note_wait(self, batch: list[Entry]) -> None:
        now = time.perf_counter()
        for entry in batch:
            if entry.call.begin(now):
                self._queue_duration.observe(entry.call.queue)
