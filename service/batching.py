"""Merge concurrent calls of one graph: what queued while a run was under way is the next run."""

import asyncio
import math
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from service import trace
from service.errors import QueueFull
from service.graph import Arrays, Graph
from service.jobs import Job, in_parts, merge, share_a_run, size_of, split
from service.metrics import Metrics


class _Answer(NamedTuple):
    outputs: Arrays
    queue: float
    infer: float


class _Entry(NamedTuple):
    job: Job
    answer: asyncio.Future[_Answer]
    since: float


class _Run(NamedTuple):
    outputs: list[Arrays]
    seconds: float


class Batcher:
    """One a graph file, on one event loop; at most one run of the graph at a time."""

    def __init__(
        self,
        graph: Graph,
        threads: ThreadPoolExecutor,
        metrics: Metrics,
        labels: tuple[str, str, str],
        *,
        batch_rows: int,
        queue_rows: int,
    ) -> None:
        self._graph = graph
        self._threads = threads
        self._cancelled = metrics.cancelled.labels("queue")
        self._rejected = metrics.rejected.labels("queue_full")
        self._queue_duration = metrics.queue_duration.labels(*labels)
        self._infer_duration = metrics.infer_duration.labels(*labels)
        self._run_rows = metrics.batch_rows.labels(*labels)
        self._queue_rows = metrics.queue_rows.labels(*labels)
        self.batch_rows = batch_rows
        self._most_queued = queue_rows
        self._queue: deque[_Entry] = deque()
        self._queued = 0
        self._seconds_per_row = 0.0
        self._worker: asyncio.Task[None] | None = None

    async def run(self, jobs: Sequence[Job]) -> list[Arrays]:
        """The outputs of each job; QueueFull if the first do not fit in behind what waits already.

        A long call queues a part at a time, so that others find room between.
        """
        first, *rest = in_parts(jobs, self._most_queued // 2)
        self._admit(size_of(first))
        outputs = await self._run_part(first)
        for part in rest:
            self._note_queued(size_of(part))
            outputs += await self._run_part(part)
        return outputs

    async def _run_part(self, jobs: list[Job]) -> list[Arrays]:
        entries = [_Entry(job, asyncio.get_running_loop().create_future(), time.perf_counter()) for job in jobs]
        self._queue.extend(entries)
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        try:
            answers = [await entry.answer for entry in entries]
        finally:
            for entry in entries:
                entry.answer.cancel()
        _note_durations(answers)
        return [answer.outputs for answer in answers]

    def _admit(self, size: int) -> None:
        """Work of any size is let in when nothing waits, so that none is refused for ever."""
        if self._queued and self._queued + size > self._most_queued:
            self._rejected.inc()
            wait = math.ceil(self._queued * self._seconds_per_row)
            raise QueueFull(f"{self._queued:,} rows wait for this graph already", retry_after=max(1, wait))
        self._note_queued(size)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while batch := self._next_batch():
            waited_until = time.perf_counter()
            try:
                run = await loop.run_in_executor(self._threads, self._compute, [entry.job for entry in batch])
            except Exception as error:  # whatever it is, each caller gets it
                for entry in batch:
                    if not entry.answer.done():
                        entry.answer.set_exception(error)
                await asyncio.sleep(0)  # the callers leave, so that the rest of what they asked for is not run
                continue
            self._hand_out(batch, run, waited_until)
        self._worker = None

    def _next_batch(self) -> list[_Entry]:
        """The oldest entry and those that can share its run, in their order; entries whose caller left are dropped."""
        batch: list[_Entry] = []
        size = 0
        passed: deque[_Entry] = deque()
        while self._queue:
            entry = self._queue.popleft()
            if entry.answer.done():
                self._note_queued(-entry.job.size)
                self._cancelled.inc()
            elif not batch or (share_a_run(entry.job, batch[0].job) and size + entry.job.size <= self.batch_rows):
                self._note_queued(-entry.job.size)
                batch.append(entry)
                size += entry.job.size
            else:
                passed.append(entry)
        self._queue = passed
        return batch

    def _compute(self, jobs: list[Job]) -> _Run:
        started = time.perf_counter()
        feeds = [job.feeds() for job in jobs]
        outputs = self._graph.run(merge(feeds), jobs[0].outputs)
        return _Run(split(outputs, [job.rows for job in jobs]), time.perf_counter() - started)

    def _hand_out(self, batch: list[_Entry], run: _Run, waited_until: float) -> None:
        size = sum(entry.job.size for entry in batch)
        self._seconds_per_row = 0.8 * self._seconds_per_row + 0.2 * run.seconds / size
        self._run_rows.observe(size)
        self._infer_duration.observe(run.seconds)
        for entry, outputs in zip(batch, run.outputs, strict=True):
            answer = _Answer(outputs, waited_until - entry.since, run.seconds)
            self._queue_duration.observe(answer.queue)
            if not entry.answer.done():
                entry.answer.set_result(answer)

    def _note_queued(self, size: int) -> None:
        self._queued += size
        self._queue_rows.set(self._queued)


def _note_durations(answers: list[_Answer]) -> None:
    """In the trace of the request at hand."""
    here = trace.current()
    here.queue += max(answer.queue for answer in answers)
    here.infer += sum(answer.infer for answer in answers)
