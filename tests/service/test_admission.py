"""Who may wait, and in which order: callers take turns, and no call waits for an answer that would come too late."""

import math
import time

import pytest

from service.admission import Admission
from service.calls import Call
from service.errors import QueueFull
from service.jobs import Job
from service.waiting import Waiting
from tests.service.conftest import serving

MOST = 8  # rows of a run


@pytest.fixture
def waiting():
    return Waiting(MOST, heaviest=16)


def call(rows, caller="a", samples=1, turn=MOST):
    """Cut into jobs of `turn` rows."""
    made = Call(rows * samples, turn, lambda place, outputs: None, caller)
    made.ask(Job(min(turn, rows - start), samples, (), {}) for start in range(0, rows, turn))
    return made


def cuts(waiting):
    """The callers and sizes of each run, until nothing waits."""
    while batch := waiting.cut():
        yield [(entry.call.caller, entry.job.size) for entry in batch]


async def test_callers_take_turns_however_many_calls_each_makes(waiting):
    for _ in range(3):
        waiting.add(call(8))
    waiting.add(call(8, "b"))
    assert list(cuts(waiting)) == [[("a", 8)], [("b", 8)], [("a", 8)], [("a", 8)]]
    assert (waiting.size, waiting.weight) == (0, 0)


async def test_rows_of_callers_alternate_within_a_run(waiting):
    for caller in ("a", "a", "a", "b", "c"):
        waiting.add(call(2, caller))
    assert list(cuts(waiting)) == [[("a", 2), ("b", 2), ("c", 2), ("a", 2)], [("a", 2)]]


def run_until_done(waiting, call):
    """The size of what is run until a call that is added now is done."""
    waiting.add(call)
    ran = 0
    while call.waiting:
        ran += sum(entry.job.size for entry in waiting.cut())
    return ran


@pytest.mark.parametrize("turn", [MOST // 2, MOST, 4 * MOST])
@pytest.mark.parametrize("rows", [1, 60])
async def test_what_is_ahead_of_a_call_is_known_whatever_the_size_of_jobs(waiting, turn, rows):
    for number in range(5):
        waiting.add(call(4000, f"other {number}", turn=turn))
    late = call(rows, turn=turn)
    expected = waiting.ahead_of(late)
    assert run_until_done(waiting, late) == pytest.approx(expected, abs=turn)


async def test_caller_whose_job_fits_no_run_of_others_keeps_the_first_turn(waiting):
    waiting.add(call(2))
    waiting.add(call(1, "b", samples=2))
    waiting.add(call(2, "c"))
    assert list(cuts(waiting)) == [[("a", 2), ("c", 2)], [("b", 2)]]


async def test_call_of_a_caller_who_left_counts_for_nothing(waiting):
    leaving = call(20)
    waiting.add(leaving)
    waiting.add(call(3, "b"))
    assert waiting.drop(leaving) == 3
    assert (waiting.size, waiting.weight, waiting.share(call(1, "b"))) == (3, 3, 1)
    assert list(cuts(waiting)) == [[("b", 3)]]


def admission(waiting, longest_wait=math.inf, most=100):
    """With a pace of half a second a row."""
    return Admission(waiting, most, longest_wait, 0.5)


@pytest.mark.parametrize(
    ("seconds", "longest", "is_let_in"), [(60, math.inf, True), (7, math.inf, False), (60, 7, False)]
)
async def test_call_that_would_not_be_answered_in_time_is_refused_at_once(waiting, seconds, longest, is_let_in):
    """Six rows wait, two run, and two more make ten, in five seconds or half as long again; six take three."""
    waiting.add(call(6))
    check = admission(waiting, longest).check
    if is_let_in:
        check(call(2), 2, time.perf_counter() + seconds)
    else:
        with pytest.raises(QueueFull) as refused:
            check(call(2), 2, time.perf_counter() + seconds)
        assert refused.value.retry_after == 3


async def test_call_is_let_in_where_nothing_waits_however_long_it_takes(waiting):
    admission(waiting).check(call(1000), 8, time.perf_counter())


async def test_small_call_waits_for_turns_of_a_long_one_and_not_for_all_of_it(waiting):
    waiting.add(call(80))
    assert waiting.ahead_of(call(1)) == 1 + 8
    assert waiting.ahead_of(call(1, "b")) == 1 + 8
    assert waiting.ahead_of(call(40, "b")) == waiting.ahead_of(call(40)) == 40 + 5 * 8
    waiting.add(call(2))
    assert waiting.ahead_of(call(8)) == 8 + 8 + 2
    assert waiting.ahead_of(call(8, "b")) == 8 + 8
    admission(waiting).check(call(1, "b"), 0, time.perf_counter() + 7)


@pytest.mark.parametrize(("rows", "caller", "is_let_in"), [(1, "a", False), (15, "b", True), (16, "b", False)])
async def test_caller_with_less_than_an_equal_share_finds_room_in_a_full_queue(waiting, rows, caller, is_let_in):
    """Of thirty rows, which one caller has taken, fifteen are the other's share."""
    for _ in range(3):
        waiting.add(call(10))
    check = admission(waiting, most=30).check
    if is_let_in:
        check(call(rows, caller), 0, math.inf)
    else:
        with pytest.raises(QueueFull):
            check(call(rows, caller), 0, math.inf)


async def test_pace_follows_the_runs_while_work_waits_and_is_else_only_bettered(waiting, monkeypatch):
    admitted = admission(waiting)
    after_a_run = _run_by_run(admitted, monkeypatch, begin=10.0)
    assert after_a_run(11.0, rows=10) == pytest.approx((0.8 * 0.5 + 0.2 * 1) / (0.8 * 1 + 0.2 * 10))
    assert after_a_run(19.0, rows=1) == pytest.approx(0.6 / 2.8), "the row was alone"
    waiting.add(call(1))
    assert after_a_run(20.0, rows=1) == pytest.approx((0.8 * 0.6 + 0.2 * 1) / (0.8 * 2.8 + 0.2 * 1))


async def test_pause_that_a_single_row_met_is_not_taken_for_the_pace_of_hundreds(waiting, monkeypatch):
    """Eight rows in a hundredth of a second, time after time, then one row in a second."""
    waiting.add(call(1))
    after_a_run = _run_by_run(admission(waiting), monkeypatch, begin=0.0)
    for number in range(1, 100):
        usual = after_a_run(0.01 * number, rows=8)
    assert usual == pytest.approx(0.01 / 8)
    assert after_a_run(1.99, rows=1) == pytest.approx((0.8 * 0.01 + 0.2 * 1) / (0.8 * 8 + 0.2 * 1))


def _run_by_run(admitted, monkeypatch, begin):
    """Work begins; the pace after a run of so many rows, which ends then."""

    def after_a_run(now, rows):
        monkeypatch.setattr(time, "perf_counter", lambda: now)
        admitted.note(rows)
        return admitted.pace

    monkeypatch.setattr(time, "perf_counter", lambda: begin)
    admitted.begin()
    return after_a_run


async def test_deadline_of_a_request_reaches_the_admission(repository, monkeypatch):
    seen = []
    monkeypatch.setattr(Admission, "check", lambda _, call, running, deadline: seen.append((call.caller, deadline)))
    async with serving(repository) as service:
        before = time.perf_counter()
        await service.post("sample", headers={"X-Request-Timeout-Ms": "7000"})
        await service.client.post("/v2/models/tiny/infer", json={"inputs": [], "parameters": {"timeout": 3_000_000}})
    (first, late), (second, soon) = seen
    assert first == second == "127.0.0.1"
    assert 0 <= late - before - 7 <= time.perf_counter() - before
    assert 0 <= soon - before - 3 <= time.perf_counter() - before
