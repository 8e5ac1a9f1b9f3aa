"""The threads in which graphs run, shared by all of them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import TypeVar

from service import niceness
from service.graph import Stop

T = TypeVar("T")


class Workers:
    """So many runs at once, of which graphs that loop leave one to the others where there are several."""

    def __init__(self, runs: int) -> None:
        self.runs = runs
        self._threads = ThreadPoolExecutor(runs, "run", niceness.step_back, (niceness.RUNS,))
        self._free = asyncio.Semaphore(runs)
        self._free_for_loops = asyncio.Semaphore(max(1, runs - 1))
        self._under_way: set[Stop] = set()

    @asynccontextmanager
    async def one(self, *, loops: bool) -> AsyncIterator[None]:
        """Wait for a worker, and keep it."""
        if loops:
            async with self._free_for_loops, self._free:
                yield
        else:
            async with self._free:
                yield

    async def run(self, work: Callable[[], T], stop: Stop) -> T:
        """Work of whoever keeps a worker."""
        self._under_way.add(stop)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way.discard(stop)

    def close(self) -> None:
        """Stop what runs; a graph may loop for ever."""
        for stop in self._under_way:
            stop.set()
        self._threads.shutdown(wait=True, cancel_futures=True)
