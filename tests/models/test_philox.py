"""Streams of Philox begin where they are told to, whichever way numpy is told."""

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models import philox
from models.philox import Philox, Span

WORD = st.integers(0, 2**64 - 1)
SPANS = st.lists(st.builds(Span, WORD, WORD, st.integers(0, 2**80), st.integers(0, 5)), max_size=6)


@pytest.fixture
def moved(monkeypatch):
    """A Philox as it is where numpy keeps its state elsewhere."""
    monkeypatch.setattr(philox, "_found", lambda generator: None)
    return Philox()


def numpys(name, spans):
    """What new generators give, one for each span."""
    given = [np.empty(0, np.uint64)]
    for seed, line, first, blocks in spans:
        key = np.array([seed, name], np.uint64)
        counter = np.array([first % 2**64, first // 2**64, line, 0], np.uint64)
        given.append(np.random.Philox(key=key, counter=counter).random_raw(4 * blocks))
    return np.concatenate(given)


def joined(arrays):
    return np.concatenate([np.empty(0, np.uint64), *arrays])


@given(name=WORD, spans=SPANS, most=st.integers(1, 50))
def test_words_are_those_of_new_generators(name, spans, most):
    np.testing.assert_array_equal(joined(Philox().words(name, spans, most)), numpys(name, spans))


@given(spans=SPANS, most=st.integers(1, 50))
def test_spans_are_joined_as_far_as_they_may_be(spans, most):
    sizes = [len(words) for words in Philox().words(0, spans, most)]
    assert all(size <= max([most, *(4 * span.blocks for span in spans)]) for size in sizes)
    assert all(size + following > most for size, following in pairwise(sizes))


@pytest.mark.parametrize("blocks", [0, 1, 2, 250])
def test_they_are_the_same_the_slow_way(moved, blocks):
    spans = [Span(1, line, first, blocks) for line in range(3) for first in (0, 5, 2**64 - 1)]
    np.testing.assert_array_equal(joined(moved.words(2, spans, 100)), numpys(2, spans))


def test_blocks_go_on_in_the_second_word():
    across = Span(3, 0, 2**64 - 2, 4)
    each = [Span(3, 0, across.first + block, 1) for block in range(across.blocks)]
    np.testing.assert_array_equal(*(joined(Philox().words(1, spans, 100)) for spans in ([across], each)))


def test_this_numpy_keeps_its_state_where_it_is_looked_for():
    assert philox._found(np.random.Philox(0)) is not None


def test_threads_do_not_meet():
    shared = Philox()

    def drawn(seed):
        return [joined(shared.words(0, [Span(seed, line, 0, 25)], 100)) for line in range(50)]

    with ThreadPoolExecutor(4) as pool:
        for seed, lines in zip(range(8), pool.map(drawn, range(8)), strict=True):
            for line, found in enumerate(lines):
                np.testing.assert_array_equal(found, numpys(0, [Span(seed, line, 0, 25)]))
