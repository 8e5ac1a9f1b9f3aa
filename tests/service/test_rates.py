"""Requests are counted by key, exactly, over all processes that share the file."""

import subprocess
import sys

import pytest
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from service import rates
from service.rates import SharedCounts
from tests.live_server import ROOT


@pytest.fixture
def clock(monkeypatch):
    """clock[0]: what time it is."""
    now = [1000.0]
    monkeypatch.setattr(rates.time, "time", lambda: now[0])
    return now


@pytest.fixture
def counts(tmp_path):
    return SharedCounts(tmp_path / "counts")


def test_window_begins_with_its_first_request_and_ends(counts, clock):
    assert [counts.incr("a", 10) for _ in range(3)] == [1, 2, 3]
    assert counts.get_expiry("a") == 1010
    clock[0] = 1009.9
    assert counts.incr("a", 10) == 4
    clock[0] = 1010
    assert counts.get("a") == 0
    assert counts.incr("a", 10) == 1
    assert counts.get_expiry("a") == 1020


def test_keys_are_counted_apart(counts):
    assert [counts.incr(key, 60) for key in "abab"] == [1, 1, 2, 2]


def test_clock_that_is_put_back_locks_nobody_out(counts, clock):
    counts.incr("a", 10, 5)
    clock[0] = 0.0
    assert counts.incr("a", 10) == 1


def test_keys_in_one_place_of_the_table_are_told_apart(counts, monkeypatch):
    """By digests that begin alike; one whose window is over makes room."""
    monkeypatch.setattr(rates, "_digest", lambda key: b"same" + key.encode().ljust(12, b"."))
    assert [counts.incr(key, 60) for key in ("a", "b", "a", "c", "b")] == [1, 1, 2, 1, 2]


def test_cleared_key_begins_anew(counts):
    counts.incr("a", 60)
    counts.incr("b", 60)
    counts.clear("a")
    assert (counts.get("a"), counts.get("b")) == (0, 1)
    counts.reset()
    assert counts.get("b") == 0


def test_limiter_of_the_library_lets_no_more_through_than_it_says(counts):
    limiter, rate = FixedWindowRateLimiter(counts), parse("3/hour")
    assert [limiter.hit(rate, "a") for _ in range(5)] == [True] * 3 + [False] * 2
    assert limiter.hit(rate, "b")


def test_processes_that_share_a_file_lose_no_count(tmp_path):
    command = (
        "import sys; from pathlib import Path; from service.rates import SharedCounts; "
        "counts = SharedCounts(Path(sys.argv[1])); [counts.incr('a', 3600) for _ in range(2000)]"
    )
    path = tmp_path / "counts"
    processes = [subprocess.Popen([sys.executable, "-c", command, str(path)], cwd=ROOT) for _ in range(3)]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert SharedCounts(path).get("a") == 6000
    assert path.stat().st_mode & 0o777 == 0o600
