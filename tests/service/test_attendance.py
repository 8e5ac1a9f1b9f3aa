"""One timer looks after all requests under way; it ends those that are late or whose caller left, and no others."""

import asyncio
import time
from contextlib import ExitStack, suppress

import pytest
from starlette.requests import ClientDisconnect

from service import attendance
from service.attendance import Attendance, Visit
from service.errors import BodyTooLarge

LATER = 60.0


@pytest.fixture(autouse=True)
def short(monkeypatch):
    monkeypatch.setattr(attendance, "_TICK", 0.001)
    monkeypatch.setattr(attendance, "_PATIENCE", 0.002)


class Caller:
    """Sends a whole body, and hangs up when told to."""

    def __init__(self):
        self.messages = [{"type": "http.request", "body": b"", "more_body": more} for more in (False, True)]
        self.hangs_up = asyncio.Event()
        self.is_watched = asyncio.Event()

    async def receive(self):
        if self.messages:
            return self.messages.pop()
        self.is_watched.set()
        await self.hangs_up.wait()
        return {"type": "http.disconnect"}


def visit(to, caller=None, timeout=LATER, scope=None):
    now = time.perf_counter()
    return Visit(to, caller.receive if caller else None, scope or {}, now, now + timeout)


async def read(asked):
    while not asked.is_read:
        await asked.receive()


async def until(condition):
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.001)


async def wait(to, timeout):
    with visit(to, timeout=timeout):
        await asyncio.sleep(10)


class Timers:
    """Those that are set for an attendance."""

    def __init__(self, monkeypatch, of):
        loop = asyncio.get_running_loop()
        call_later, self.set = loop.call_later, 0

        def count(delay, callback, *arguments, **options):
            self.set += getattr(callback, "__self__", None) is of
            return call_later(delay, callback, *arguments, **options)

        monkeypatch.setattr(loop, "call_later", count)


async def test_any_number_of_requests_set_one_timer(monkeypatch):
    here = Attendance()
    timers = Timers(monkeypatch, here)
    for _ in range(50):
        with visit(here):
            pass
    with ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(visit(here))
        assert timers.set == 1


async def test_timer_is_set_as_long_as_there_are_requests_and_no_longer(monkeypatch):
    here = Attendance()
    timers = Timers(monkeypatch, here)
    with visit(here):
        await until(lambda: timers.set >= 5)
    set_before = timers.set
    await asyncio.sleep(0.02)
    assert timers.set == set_before
    with visit(here):
        assert timers.set == set_before + 1


async def test_late_request_is_ended_and_its_neighbours_are_not():
    here = Attendance()
    with visit(here):
        waits = [asyncio.create_task(wait(here, timeout)) for timeout in (0.01, LATER, 0.02)]
        await until(lambda: waits[0].done() and waits[2].done())
        assert [type(waits[i].exception()) for i in (0, 2)] == [TimeoutError] * 2
        assert not waits[1].done()
        waits[1].cancel()
        with suppress(asyncio.CancelledError):
            await waits[1]


async def test_deadline_that_has_passed_ends_what_waits_and_nothing_else(monkeypatch):
    monkeypatch.setattr(attendance, "_TICK", LATER)
    here = Attendance()
    with pytest.raises(TimeoutError):
        await wait(here, 0)
    with visit(here, timeout=0):
        pass
    assert not asyncio.current_task().cancelling()


async def test_task_goes_on_after_its_request_was_ended():
    here = Attendance()
    with pytest.raises(TimeoutError):
        await wait(here, 0.002)
    assert not asyncio.current_task().cancelling()
    await asyncio.sleep(0.002)


async def test_cancellation_from_outside_stays_one():
    here = Attendance()
    task = asyncio.create_task(wait(here, LATER))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_cancellation_from_outside_stays_one_of_a_late_request():
    here = Attendance()

    async def leave_slowly():
        with visit(here, timeout=0.005) as late:
            try:
                await asyncio.sleep(10)
            finally:
                with suppress(asyncio.CancelledError):
                    await until(lambda: late._cause)
                raise asyncio.CancelledError

    task = asyncio.create_task(leave_slowly())
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_other_error_of_a_late_request_is_told():
    async def fail():
        with visit(Attendance(), timeout=0.002):
            try:
                await asyncio.sleep(10)
            finally:
                raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert not asyncio.current_task().cancelling()


async def test_answer_that_is_there_as_a_whole_is_never_late():
    here = Attendance()
    with visit(here, timeout=0.005) as answered:
        answered.answered(is_whole=True)
        await asyncio.sleep(0.02)


async def test_stream_can_be_late():
    async def stream():
        with visit(Attendance(), timeout=0.005) as answered:
            answered.answered(is_whole=False)
            await asyncio.sleep(10)

    with pytest.raises(TimeoutError):
        await stream()


async def test_caller_who_leaves_ends_the_request():
    caller = Caller()

    async def ask():
        with visit(Attendance(), caller) as asked:
            await read(asked)
            await caller.is_watched.wait()
            caller.hangs_up.set()
            await asyncio.sleep(10)

    with pytest.raises(ClientDisconnect):
        await ask()
    assert not asyncio.current_task().cancelling()


async def test_caller_is_not_watched_before_the_body_is_read():
    here, caller = Attendance(), Caller()
    with visit(here, caller) as asked:
        await asked.receive()
        await asyncio.sleep(0.02)
        assert not asked.is_read
        assert len(caller.messages) == 1


async def test_caller_is_not_watched_once_there_is_an_answer():
    here, caller = Attendance(), Caller()
    caller.hangs_up.set()
    with visit(here, caller) as asked:
        await read(asked)
        asked.answered(is_whole=True)
        await asyncio.sleep(0.02)
    assert not caller.is_watched.is_set()


async def test_nobody_waits_for_the_caller_of_a_request_that_is_over():
    here, caller = Attendance(), Caller()
    before = asyncio.all_tasks()
    with visit(here, caller) as asked:
        await read(asked)
        await caller.is_watched.wait()
    await until(lambda: asyncio.all_tasks() == before)


async def test_what_the_door_refuses_is_raised_where_the_body_is_read():
    asked = visit(Attendance(), Caller(), scope={"refusal": BodyTooLarge("too large")})
    with pytest.raises(BodyTooLarge):
        await asked.receive()


def test_timer_of_a_loop_that_is_closed_does_not_stand_for_one():
    here = Attendance()
    for _ in range(2):
        loop = asyncio.new_event_loop()
        with pytest.raises(TimeoutError):
            loop.run_until_complete(wait(here, 0.005))
        loop.close()
