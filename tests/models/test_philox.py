"""Streams of Philox begin where they are told to, whichever way numpy is told."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import philox
from models.philox import Philox

WORD = st.integers(0, 2**64 - 1)
ADDRESSES = st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=4)


@pytest.fixture
def moved(monkeypatch):
    """A Philox as it is where numpy keeps its state elsewhere."""
    monkeypatch.setattr(philox, "_found", lambda generator: None)
    return Philox()


def numpys(name, addresses, count):
    """What new generators give, one for each stream."""
    keys = (((seed, name), (0, sample, row, 0)) for seed, row, sample in addresses)
    generators = [np.random.Philox(key=np.array(k, np.uint64), counter=np.array(c, np.uint64)) for k, c in keys]
    return np.concatenate([generator.random_raw(count) for generator in generators])


@given(name=WORD, addresses=ADDRESSES, count=st.integers(0, 9))
def test_words_are_those_of_new_generators(name, addresses, count):
    np.testing.assert_array_equal(Philox().words(name, addresses, count), numpys(name, addresses, count))


@pytest.mark.parametrize("count", [0, 1, 4, 7, 1000])
def test_they_are_the_same_the_slow_way(moved, count):
    addresses = [(1, row, sample) for row in range(3) for sample in (0, 5)]
    np.testing.assert_array_equal(moved.words(2, addresses, count), numpys(2, addresses, count))


def test_this_numpy_keeps_its_state_where_it_is_looked_for():
    assert philox._found(np.random.Philox(0)) is not None


def test_threads_do_not_meet():
    shared = Philox()

    def drawn(seed):
        return [shared.words(0, [(seed, row, 0)], 100) for row in range(50)]

    with ThreadPoolExecutor(4) as pool:
        for seed, rows in zip(range(8), pool.map(drawn, range(8)), strict=True):
            for row, found in enumerate(rows):
                np.testing.assert_array_equal(found, numpys(0, [(seed, row, 0)], 100))
