"""Words of Philox 4x64-10, one stream after another, each begun at a key and a counter of its own.

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". numpy computes them; this says where they begin.
"""

import ctypes
from collections.abc import Iterable
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORDS_PER_BLOCK = 4


class _Layout(ctypes.Structure):
    """What numpy keeps of a generator: the addresses of counter and key, the word of a block that is next, and more."""

    _fields_ = (("counter", ctypes.c_size_t), ("key", ctypes.c_size_t), ("position", ctypes.c_int))


class Philox(local):
    """One for each thread; a stream's words are those of the blocks after its counter.

    Key and counter are set where numpy has them: its own way, a dictionary of arrays, takes as long as the words of a
    small row.
    """

    def __init__(self) -> None:
        self._generator = np.random.Philox(0)  # of a seed, or it asks the system for one
        self._state = self._generator.state
        self._state["buffer_pos"] = _WORDS_PER_BLOCK
        self._layout = _found(self._generator)
        self._key: Any  # two words
        self._counter: Any  # four words
        if self._layout:
            self._counter = (ctypes.c_uint64 * 4).from_address(self._layout.counter)
            self._key = (ctypes.c_uint64 * 2).from_address(self._layout.key)
        else:
            self._counter, self._key = self._state["state"]["counter"], self._state["state"]["key"]

    def words(self, name_word: int, addresses: Iterable[tuple[int, int, int]], count: int) -> NDArray[np.uint64]:
        """The first `count` words of each stream (seed, row, sample), one stream after another.

        The stream's key is (seed, name_word), and its counter (0, sample, row, 0).
        """
        key, counter, layout, take = self._key, self._counter, self._layout, self._generator.random_raw
        key[1], counter[3] = name_word, 0
        words = []
        for key[0], counter[2], counter[1] in addresses:
            counter[0] = 0
            if layout:
                layout.position = _WORDS_PER_BLOCK
            else:
                self._generator.state = self._state
            words.append(take(count))
        return words[0] if len(words) == 1 else np.concatenate(words)


def _found(generator: np.random.Philox) -> _Layout | None:
    """Where the generator's state is; None if this version of numpy does not keep it as it has so far."""
    layout = _Layout.from_address(generator.ctypes.state_address)
    start, size = id(generator), type(generator).__basicsize__
    if not all(start <= address <= start + size - 32 for address in (layout.counter, layout.key)):
        return None
    return layout
