"""Runs of all graphs share the workers; those of graphs that loop never take the last one of several."""

import asyncio
import threading

import pytest

from service.graph import Stop
from service.workers import Workers


class Runs:
    """Work that goes on until it is let go or stopped, and how much of it is under way."""

    def __init__(self, workers):
        self.workers = workers
        self.under_way = 0
        self.most = 0
        self.go = threading.Event()

    async def one(self, *, loops=False):
        async with self.workers.one(loops=loops):
            self.under_way += 1
            self.most = max(self.most, self.under_way)
            stop = Stop()
            result = await self.workers.run(lambda: self._wait(stop), stop)
            self.under_way -= 1
            return result

    def _wait(self, stop):
        while not self.go.wait(0.001):
            if stop.options.terminate:
                return "stopped"
        return "done"

    async def started(self, count):
        while self.under_way < count:
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(("workers", "loops", "at_once"), [(3, False, 3), (3, True, 2), (2, True, 1), (1, True, 1)])
async def test_so_many_run_at_once(workers, loops, at_once):
    runs = Runs(Workers(workers))
    tasks = [asyncio.create_task(runs.one(loops=loops)) for _ in range(2 * workers)]
    await runs.started(at_once)
    await asyncio.sleep(0.01)
    runs.go.set()
    assert await asyncio.gather(*tasks) == ["done"] * (2 * workers)
    assert runs.most == at_once
    runs.workers.close()


async def test_loops_leave_a_worker_to_what_does_not_loop():
    loops, others = Runs(Workers(2)), Runs(None)
    others.workers = loops.workers
    others.go.set()
    tasks = [asyncio.create_task(loops.one(loops=True)) for _ in range(4)]
    await loops.started(1)
    assert [await others.one() for _ in range(3)] == ["done"] * 3
    assert loops.under_way == 1
    loops.go.set()
    await asyncio.gather(*tasks)
    loops.workers.close()


async def test_closing_stops_what_would_run_for_ever():
    runs = Runs(Workers(2))
    endless = asyncio.create_task(runs.one())
    await runs.started(1)
    runs.workers.close()
    assert await endless == "stopped"
