"""The requests under way: a look at all of them every few milliseconds ends those that are late or asked by nobody."""

import asyncio
import math
import time
from types import TracebackType
from typing import Self

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

_TICK = 0.025  # seconds; a timer for each request would cost as much as all that is done around it
_PATIENCE = 0.05  # seconds: waiting for a caller to leave costs a task, and most requests are answered before


class Visit:
    """Around the work for a request: TimeoutError if it is late, ClientDisconnect if its caller hangs up meanwhile.

    That is after the body and before the answer: while the body is read, reading tells, and later, sending does.
    """

    def __init__(self, attendance: "Attendance", receive: Receive, scope: Scope, began: float, deadline: float) -> None:
        """Both times by time.perf_counter."""
        self.began = began
        self.deadline = deadline
        self.is_read = False
        self._attendance = attendance
        self._receive = receive
        self._scope = scope
        self._is_answered = False
        self._wait: asyncio.Task[None] | None = None
        self._cause: type[Exception] | None = None

    def __enter__(self) -> Self:
        loop = asyncio.get_running_loop()
        task = asyncio.current_task(loop)
        assert task
        self._task = task
        self._cancelled = task.cancelling()  # times, by others
        self._attendance.add(self, loop)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._attendance.remove(self)
        self._forget()
        if self._cause and self._task.uncancel() <= self._cancelled and kind is asyncio.CancelledError:
            raise self._cause from error

    async def receive(self) -> Message:
        """For the app, which reads the body; raises what the door has to say against the rest of it."""
        message = await self._receive()
        if "refusal" in self._scope:
            raise self._scope["refusal"]
        self.is_read = message["type"] == "http.request" and not message.get("more_body", False)
        return message

    def answered(self, *, is_whole: bool) -> None:
        """An answer that is there as a whole was in time; how fast it is read is the door's concern."""
        self._is_answered = True
        self._forget()
        if is_whole:
            self.deadline = math.inf

    def look(self, now: float) -> None:
        if now >= self.deadline:
            self._end(TimeoutError)
        elif self.is_read and not (self._is_answered or self._wait) and now >= self.began + _PATIENCE:
            self._wait = asyncio.create_task(self._until_left())

    def _end(self, cause: type[Exception]) -> None:
        if not self._cause:
            self._cause = cause
            self._task.cancel()

    def _forget(self) -> None:
        if self._wait:
            self._wait.cancel()

    async def _until_left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._end(ClientDisconnect)


class Attendance:
    """All visits, and the one timer that is set while there are any."""

    def __init__(self) -> None:
        self._visits: set[Visit] = set()
        self._loop: asyncio.AbstractEventLoop | None = None  # on which the timer is set

    def add(self, visit: Visit, loop: asyncio.AbstractEventLoop) -> None:
        self._visits.add(visit)
        if self._loop is not loop:
            self._loop = loop
            loop.call_later(_TICK, self._tick, loop)
        if visit.deadline < visit.began + _TICK:  # also one that has passed ends what waits for anything
            loop.call_later(visit.deadline - visit.began, self._look, visit.deadline)

    def remove(self, visit: Visit) -> None:
        self._visits.remove(visit)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        if self._loop is not loop:
            return
        if self._visits:
            loop.call_later(_TICK, self._tick, loop)
        else:
            self._loop = None
        self._look(time.perf_counter())

    def _look(self, now: float) -> None:
        for visit in self._visits:
            visit.look(now)
