"""Merge concurrent calls of one graph: what queued while a run was under way is the next run."""

import asyncio
import math
import time
from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

from service import trace
from service.calls import Call, Calls, Entry
from service.errors import QueueFull
from service.graph import Arrays, Graph, Stop
from service.jobs import Job, merge, pad, split
from service.metrics import Metrics
from service.workers import Workers


class _Run(NamedTuple):
    """A run under way."""

    batch: list[Entry]
    stop: Stop


class _Outcome(NamedTuple):
    outputs: list[Arrays]
    seconds: float


class Batcher:
    """One a graph file, on one event loop.

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
        self.batch_rows = batch_rows
        self._most_queued = queue_rows
        self._seconds_per_row = seconds_per_row
        self._calls = Calls(heaviest=max(queue_rows // 2, batch_rows))
        self._under_way: list[_Run] = []
        self._worker: asyncio.Task[None] | None = None

    @property
    def is_busy(self) -> bool:
        return self._worker is not None

    async def run(self, jobs: Sequence[Job]) -> list[Arrays]:
        """The outputs of each job; QueueFull if too much waits already."""
        call = Call(jobs)
        self._admit(call)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        try:
            outputs = await call.answer
        finally:
            self._leave(call)
        here = trace.current()
        here.queue += call.queue
        here.infer += call.infer
        return outputs

    def _admit(self, call: Call) -> None:
        """A call of any size is let in when nothing waits, so that none is refused for ever.

        One that waits counts for half the queue or a batch at most, so that others find room beside it.
        """
        waiting = self._calls.weight
        if waiting and waiting + self._calls.weigh(call) > self._most_queued:
            self._rejected.inc()
            wait = math.ceil(self._calls.size * self._seconds_per_row)
            raise QueueFull(f"{self._calls.size:,} rows wait for this graph already", retry_after=max(1, wait))
        self._calls.add(call)
        self._queue_rows.set(self._calls.size)

    def _leave(self, call: Call) -> None:
        """The caller has its answer or has gone: what waits of the call is dropped, and what runs for it is stopped.

        A run that others wait for goes on, but not of a graph that loops: its row may be the one that never ends.
        """
        if call.waiting:
            self._dropped.inc(self._calls.drop(call))
            self._queue_rows.set(self._calls.size)
        enough = any if self._graph.loops else all
        for run in self._under_way:
            if enough(entry.call.is_over for entry in run.batch) and run.stop.set():
                self._stopped.inc()

    async def _work(self) -> None:
        try:
            while self._calls.size:
                async with self._workers.one(loops=self._graph.loops):
                    if batch := self._calls.cut(self.batch_rows):
                        self._queue_rows.set(self._calls.size)
                        self._note_wait(batch)
                        await self._run(batch)
        finally:
            self._worker = None

    async def _run(self, batch: list[Entry]) -> None:
        run = _Run(batch, Stop())
        self._under_way.append(run)
        try:
            outcome = await self._workers.run(
                partial(self._compute, [entry.job for entry in batch], run.stop), run.stop
            )
        except Exception as error:  # whatever it is, the caller gets it
            failure = error
        else:
            self._hand_out(batch, outcome)
            return
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
                await self._run([entry])

    def _compute(self, jobs: list[Job], stop: Stop) -> _Outcome:
        started = time.perf_counter()
        feeds = merge([job.feeds() for job in jobs])
        outputs = self._graph.run(pad(feeds) if self._graph.has_buckets else feeds, jobs[0].outputs, stop)
        return _Outcome(split(outputs, [job.rows for job in jobs]), time.perf_counter() - started)

    def _hand_out(self, batch: list[Entry], outcome: _Outcome) -> None:
        size = sum(entry.job.size for entry in batch)
        self._seconds_per_row = 0.8 * self._seconds_per_row + 0.2 * outcome.seconds / size
        self._run_rows.observe(size)
        self._infer_duration.observe(outcome.seconds)
        for entry, outputs in zip(batch, outcome.outputs, strict=True):
            entry.call.give(entry.place, outputs, outcome.seconds)

    def _note_wait(self, batch: list[Entry]) -> None:
        now = time.perf_counter()
        for entry in batch:
            if entry.call.begin(now):
                self._queue_duration.observe(entry.call.queue)
