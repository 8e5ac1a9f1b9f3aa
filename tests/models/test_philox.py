"""Streams of Philox begin where they are told to, whichever way numpy is told."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import philox
from models.philox import Philox

WORD = st.integers(0, 2**64 - 1)


@pytest.fixture
def moved(monkeypatch):
    """A Philox as it is where numpy keeps its state elsewhere."""
    monkeypatch.setattr(philox, "_found", lambda generator: None)
    return Philox()


def words(stream, key, counter, count):
    for place, word in enumerate(key):
        stream.key[place] = word
    for place, word in enumerate(counter):
        stream.counter[place] = word
    return stream.words(count)


def numpys(key, counter, count):
    generator = np.random.Philox(key=np.array(key, np.uint64), counter=np.array(counter, np.uint64))
    return generator.random_raw(count)


@given(key=st.tuples(WORD, WORD), counter=st.tuples(WORD, WORD, WORD, WORD), count=st.integers(0, 9))
def test_words_are_those_of_a_new_generator(key, counter, count):
    np.testing.assert_array_equal(words(Philox(), key, counter, count), numpys(key, counter, count))


@pytest.mark.parametrize("count", [0, 1, 4, 7, 1000])
def test_they_are_the_same_the_slow_way(moved, count):
    for row in range(3):
        np.testing.assert_array_equal(
            words(moved, (1, 2), (0, 0, row, 0), count), numpys((1, 2), (0, 0, row, 0), count)
        )


def test_this_numpy_keeps_its_state_where_it_is_looked_for():
    assert philox._found(np.random.Philox(0)) is not None


def test_threads_do_not_meet():
    shared = Philox()

    def drawn(key):
        return [words(shared, (key, 0), (0, 0, row, 0), 100) for row in range(50)]

    with ThreadPoolExecutor(4) as pool:
        for key, rows in zip(range(8), pool.map(drawn, range(8)), strict=True):
            for row, found in enumerate(rows):
                np.testing.assert_array_equal(found, numpys((key, 0), (0, 0, row, 0), 100))
