"""Every request is counted once, and every percentile is a time that occurred."""

import pytest

from service.bench.load import Outcome
from service.bench.measurement import Load, measured

LOAD = Load(seconds=10, warmup=1, connections=4)


def answered(due, seconds, status=200):
    return Outcome(due, due, due + seconds, status)


def test_every_request_is_answered_refused_or_failed():
    outcomes = [
        *(answered(2, 0.001) for _ in range(5)),
        Outcome(2, 2, 2.1, 503, retry_after=1.0),
        Outcome(2, 2, 2.1, 429, retry_after=30.0),
        Outcome(2, 2, 2.1, 500),
        Outcome(2, 2, 2.1, 504),
        Outcome(2, 2, 2.1, failure="connection broken"),
    ]
    found = measured(LOAD, outcomes, rows=3)
    assert (found["asked"], found["answered"], found["refused"], found["failed"]) == (10, 5, 2, 3)
    assert found["statuses"] == {"200": 5, "429": 1, "500": 1, "503": 1, "504": 1}
    assert found["failures"] == {"connection broken": 1}
    assert found["retry_after_seconds"] == {"least": 1.0, "most": 30.0}
    assert found["requests_per_second"] == 0.5
    assert found["rows_per_second"] == 1.5


def test_percentiles_are_of_the_answered_and_by_nearest_rank():
    outcomes = [answered(1, number / 1000) for number in range(1, 101)] + [answered(1, 9, status=503)]
    latency = measured(LOAD, outcomes, rows=1)["latency_ms"]
    expected = {"mean": 50.5, "min": 1, "p50": 50, "p90": 90, "p95": 95, "p99": 99, "p99.9": 100, "max": 100}
    assert latency == pytest.approx(expected)


def test_what_was_due_during_the_warm_up_does_not_count():
    found = measured(LOAD, [answered(0.5, 5), answered(1, 0.5)], rows=1)
    assert (found["asked"], found["latency_ms"]["max"]) == (1, 500)


def test_a_load_that_ends_late_is_not_faster_for_it():
    found = measured(LOAD, [answered(10.9, 10.1)], rows=1)
    assert found["seconds"] == 20
    assert found["requests_per_second"] == 0.05


def test_the_curve_rises_to_the_longest_time():
    curve = measured(LOAD, [answered(1, number / 1000) for number in range(1, 1001)], rows=1)["curve"]
    assert curve[0] == (0.0, 1.0)
    assert curve[-1] == (99.9, 1000.0)
    assert curve == sorted(curve)


def test_an_open_loop_tells_how_late_its_requests_went_out():
    found = measured(Load(10, 1, rate=5.0), [Outcome(2, 2.25, 3, 200)], rows=1)
    assert (found["load"], found["loop"], found["lag_ms"]["max"]) == ("5/s", "open", 250)
    assert found["latency_ms"]["max"] == 1000


def test_where_nothing_was_answered_there_is_no_latency():
    found = measured(LOAD, [], rows=1)
    assert (found["latency_ms"], found["curve"], found["requests_per_second"]) == (None, [], 0)
