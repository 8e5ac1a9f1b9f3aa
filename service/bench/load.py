"""Two ways to ask: as fast as answers come (closed loop), or at times that do not wait for answers (open loop)."""

import asyncio
import selectors
from collections import deque
from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from service.bench.connection import BROKEN, Answer

MOST_CONNECTIONS = 512  # of an open loop; what comes while all are busy waits, and the wait counts
_PAUSE_SECONDS = 0.1  # after a connection broke


class Caller(Protocol):
    """A connection, or what a test has instead."""

    async def ask(self, request: bytes) -> Answer: ...

    def close(self) -> None: ...


class Outcome(NamedTuple):
    """Of one request; times are in seconds since the load began. Without an answer, `failure` says why.

    `due` is when the request should have gone. Latency counts from there: a service that keeps callers waiting delays
    those behind them, too, and whoever counts from `sent` leaves that out.
    """

    due: float
    sent: float
    done: float
    status: int = 0
    retry_after: float | None = None
    failure: str = ""


def event_loop() -> asyncio.AbstractEventLoop:
    """One whose sleeps end to the microsecond; the one that asyncio takes rounds up to milliseconds."""
    return asyncio.SelectorEventLoop(selectors.SelectSelector())


async def closed(
    connect: Callable[[], Caller], request: bytes, *, connections: int, seconds: float, timeout: float
) -> list[Outcome]:
    """So many callers, each of whom asks again once it has its answer, and does not heed Retry-After."""
    load = _Load(request, timeout)

    async def go_on(caller: Caller) -> None:
        while (now := load.now()) < seconds:
            await load.ask(caller, now)
        caller.close()

    await asyncio.gather(*(go_on(connect()) for _ in range(connections)))
    return load.outcomes


async def opened(
    connect: Callable[[], Caller],
    request: bytes,
    arrivals: Iterable[float],
    *,
    timeout: float,
    connections: int = MOST_CONNECTIONS,
) -> list[Outcome]:
    """A request at each of these times, whatever became of those before."""
    load = _Load(request, timeout)
    idle: list[Caller] = []
    waiting: deque[float] = deque()
    callers: list[Caller] = []
    working: set[asyncio.Task[None]] = set()

    async def work(caller: Caller, due: float) -> None:
        await load.ask(caller, due)
        while waiting:
            await load.ask(caller, waiting.popleft())
        idle.append(caller)

    for due in arrivals:
        await asyncio.sleep(max(0.0, due - load.now()))
        if not idle and len(callers) == connections:
            waiting.append(due)
            continue
        if not idle:
            callers.append(connect())
            idle.append(callers[-1])
        task = asyncio.create_task(work(idle.pop(), due))
        working.add(task)
        task.add_done_callback(working.discard)
    await asyncio.gather(*working)
    for caller in callers:
        caller.close()
    return load.outcomes


class _Load:
    """What has been asked since the beginning, each request with one outcome."""

    def __init__(self, request: bytes, timeout: float) -> None:
        self._request = request
        self._timeout = timeout
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self.outcomes: list[Outcome] = []

    def now(self) -> float:
        return self._loop.time() - self._start

    async def ask(self, caller: Caller, due: float) -> None:
        sent, answer, failure = self.now(), Answer(0), ""
        try:
            async with asyncio.timeout_at(self._start + due + self._timeout):
                answer = await caller.ask(self._request)
        except TimeoutError:
            failure = "no answer in time"
        except BROKEN:
            failure = "connection broken"
        done = self.now()
        self.outcomes.append(Outcome(due, sent, done, answer.status, answer.retry_after, failure))
        if failure:
            caller.close()
            await asyncio.sleep(_PAUSE_SECONDS if failure == "connection broken" else 0)
