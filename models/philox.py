"""Words of Philox 4x64-10, one stream after another, each begun at a key and a counter of its own.

Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3". numpy computes them; this says where they begin.
"""

import ctypes
from threading import local
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORDS_PER_BLOCK = 4


class _Layout(ctypes.Structure):
    """What numpy keeps of a generator: the addresses of counter and key, the word of a block that is next, and more."""

    _fields_ = (("counter", ctypes.c_size_t), ("key", ctypes.c_size_t), ("position", ctypes.c_int))


class Philox(local):
    """One for each thread. Set the key and the counter, then take words: first those of the block after the counter.

    Both are set where numpy has them: its own way, a dictionary of arrays, takes as long as the words of a small row.
    """

    key: Any  # two words
    counter: Any  # four words

    def __init__(self) -> None:
        self._generator = np.random.Philox(0)  # of a seed, or it asks the system for one
        self._state = self._generator.state
        self._state["buffer_pos"] = _WORDS_PER_BLOCK
        self._layout = _found(self._generator)
        if self._layout:
            self.counter = (ctypes.c_uint64 * 4).from_address(self._layout.counter)
            self.key = (ctypes.c_uint64 * 2).from_address(self._layout.key)
        else:
            self.counter, self.key = self._state["state"]["counter"], self._state["state"]["key"]

    def words(self, count: int) -> NDArray[np.uint64]:
        """`count` words from where key and counter are set; in between, the counter's first word is anything."""
        if self._layout:
            self._layout.position = _WORDS_PER_BLOCK
        else:
            self._generator.state = self._state
        words: NDArray[np.uint64] = self._generator.random_raw(count)
        return words


def _found(generator: np.random.Philox) -> _Layout | None:
    """Where the generator's state is; None if this version of numpy does not keep it as it has so far."""
    layout = _Layout.from_address(generator.ctypes.state_address)
    start, size = id(generator), type(generator).__basicsize__
    if not all(start <= address <= start + size - 32 for address in (layout.counter, layout.key)):
        return None
    return layout
