"""Random times have a rate."""

import pytest

from service.bench.arrivals import poisson


def test_random_times_keep_their_rate_and_are_the_same_each_time():
    times = list(poisson(100, 50))
    assert times == sorted(times) == list(poisson(100, 50))
    assert len(times) == pytest.approx(5000, abs=4 * 5000**0.5)
    assert times[0] > 0
    assert times[-1] < 50
