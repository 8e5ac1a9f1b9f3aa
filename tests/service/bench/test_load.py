"""Closed and open loops on a clock that jumps from one event to the next: no test here waits."""

import asyncio
import selectors

import pytest

from service.bench.connection import Answer
from service.bench.load import closed, event_loop, opened


class _Clock(selectors.SelectSelector):
    """Time passes when everybody waits for it, and at once."""

    now = 0.0

    def select(self, timeout=None):
        self.now += timeout or 0.0
        return super().select(0)


def on_clock(load):
    clock = _Clock()
    loop = asyncio.SelectorEventLoop(clock)
    loop.time = lambda: clock.now
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(load)


class Service:
    """Each request takes `times`' next number of seconds, the last one over and over; None breaks the connection."""

    def __init__(self, *times, status=200):
        self.times, self.status = list(times), status
        self.opened = self.closed = 0

    def connect(self):
        self.opened += 1
        return self

    async def ask(self, request):
        seconds = self.times.pop(0) if len(self.times) > 1 else self.times[0]
        if seconds is None:
            raise ConnectionResetError
        await asyncio.sleep(seconds)
        return Answer(self.status, retry_after=2.0 if self.status == 503 else None)

    def close(self):
        self.closed += 1


def latencies(outcomes):
    return [pytest.approx(outcome.done - outcome.due) for outcome in sorted(outcomes)]


def test_in_an_open_loop_latency_counts_from_when_a_request_was_due():
    """One connection and a service that stalls for ten seconds: those behind have waited, too."""
    service = Service(10, 0.5)
    outcomes = on_clock(opened(service.connect, b"", [1, 2, 3, 20], timeout=60, connections=1))
    assert latencies(outcomes) == [10, 9.5, 9, 0.5]
    assert [outcome.sent for outcome in sorted(outcomes)] == pytest.approx([1, 11, 11.5, 20])


def test_an_open_loop_does_not_wait_for_answers():
    service = Service(10)
    outcomes = on_clock(opened(service.connect, b"", [1, 2, 3], timeout=60))
    assert [outcome.sent for outcome in sorted(outcomes)] == pytest.approx([1, 2, 3])
    assert service.opened == 3
    assert service.closed == 3


def test_an_open_loop_uses_connections_again():
    service = Service(0.5)
    on_clock(opened(service.connect, b"", [1, 2, 3], timeout=60))
    assert service.opened == 1


def test_a_closed_loop_asks_again_once_it_has_its_answer():
    outcomes = on_clock(closed(Service(0.25).connect, b"", connections=3, seconds=1, timeout=60))
    assert [outcome.due for outcome in sorted(outcomes)] == pytest.approx(sorted([0, 0.25, 0.5, 0.75] * 3))
    assert latencies(outcomes) == [0.25] * 12


def test_what_began_in_time_is_waited_for():
    outcomes = on_clock(closed(Service(3).connect, b"", connections=2, seconds=1, timeout=60))
    assert [(outcome.status, outcome.done) for outcome in outcomes] == [(200, 3), (200, 3)]


def test_what_is_not_there_in_time_has_failed_and_the_wait_before_counts():
    outcomes = on_clock(opened(Service(4, 4).connect, b"", [1, 2], timeout=5, connections=1))
    assert [(outcome.status, outcome.failure) for outcome in sorted(outcomes)] == [(200, ""), (0, "no answer in time")]
    assert max(outcome.done for outcome in outcomes) == pytest.approx(7)


def test_a_broken_connection_is_a_failure_and_the_load_goes_on():
    service = Service(0.25, None, 0.25)
    outcomes = on_clock(closed(service.connect, b"", connections=1, seconds=1, timeout=5))
    assert [outcome.failure for outcome in outcomes] == ["", "connection broken", "", "", ""]
    assert service.closed == 2


def test_a_refusal_is_kept_with_when_to_come_again():
    [outcome] = on_clock(opened(Service(0, status=503).connect, b"", [1], timeout=5))
    assert (outcome.status, outcome.retry_after, outcome.failure) == (503, 2.0, "")


def test_sleeps_of_an_open_loop_are_not_rounded_to_milliseconds():
    with asyncio.Runner(loop_factory=event_loop) as runner:
        assert isinstance(runner.get_loop()._selector, selectors.SelectSelector)
