"""Words of Philox 4x64-10, one span after another, each begun at a key and a counter of its own.

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". numpy computes them; this says where they begin.
"""

import ctypes
from collections.abc import Iterable, Iterator
from threading import local
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

WORDS_PER_BLOCK = 4

_LOW = 2**64 - 1


class Span(NamedTuple):
    """So many blocks of a seed that lie behind each other on a line, from the block of that number on."""

    seed: int
    line: int
    first: int
    blocks: int


class _Layout(ctypes.Structure):
    """What numpy keeps of a generator: the addresses of counter and key, the word of a block that is next, and more."""

    _fields_ = (("counter", ctypes.c_size_t), ("key", ctypes.c_size_t), ("position", ctypes.c_int))


class Philox(local):
    """One for each thread.

    Key and counter are set where numpy has them: its own way, a dictionary of arrays, takes as long as the words of a
    small row. `words` is taken to its end before it is called again.
    """

    def __init__(self) -> None:
        self._generator = np.random.Philox(0)  # of a seed, or it asks the system for one
        self._state = self._generator.state
        self._state["buffer_pos"] = WORDS_PER_BLOCK
        self._layout = _found(self._generator)
        self._key: Any  # two words
        self._counter: Any  # four words
        if self._layout:
            self._counter = (ctypes.c_uint64 * 4).from_address(self._layout.counter)
            self._key = (ctypes.c_uint64 * 2).from_address(self._layout.key)
        else:
            self._counter, self._key = self._state["state"]["counter"], self._state["state"]["key"]

    def words(self, name_word: int, spans: Iterable[Span], most: int) -> Iterator[NDArray[np.uint64]]:
        """The words of the spans one after another, joined to arrays of up to `most` where a span is not larger.

        The key is (seed, name_word). The counter of a block is (its number in two words, line, 0); numpy counts before
        it draws, so that the first block has the number 1.
        """
        key, counter, layout, take = self._key, self._counter, self._layout, self._generator.random_raw
        key[1], counter[3] = name_word, 0
        joined: list[NDArray[np.uint64]] = []
        size = 0
        for key[0], counter[2], first, blocks in spans:
            count = WORDS_PER_BLOCK * blocks
            if size + count > most and joined:
                yield _joined(joined)
                joined, size = [], 0
            counter[0], counter[1] = first & _LOW, first >> 64
            if layout:
                layout.position = WORDS_PER_BLOCK
            else:
                self._generator.state = self._state
            joined.append(take(count))
            size += count
        if joined:
            yield _joined(joined)


def _joined(arrays: list[NDArray[np.uint64]]) -> NDArray[np.uint64]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _found(generator: np.random.Philox) -> _Layout | None:
    """Where the generator's state is; None if this version of numpy does not keep it as it has so far."""
    layout = _Layout.from_address(generator.ctypes.state_address)
    start, size = id(generator), type(generator).__basicsize__
    if not all(start <= address <= start + size - 32 for address in (layout.counter, layout.key)):
        return None
    return layout
