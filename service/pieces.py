"""A request cut into pieces that are small enough for one run, and put together again."""

from collections.abc import Iterator, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from service.graph import Arrays


class Piece(NamedTuple):
    """Some rows of a request, and some samples of each where it has samples."""

    rows: slice
    samples: range | None


def cut(rows: int, samples: range | None, most: int) -> Iterator[Piece]:
    """Cut along the samples first, so that a row is encoded as few times as possible; rows outermost."""
    if samples is None:
        yield from (Piece(slice(start, min(start + most, rows)), None) for start in range(0, rows, most))
        return
    step = max(1, most // len(samples))
    for start in range(0, rows, step):
        for first in range(samples.start, samples.stop, most):
            yield Piece(slice(start, min(start + step, rows)), range(first, min(first + most, samples.stop)))


class Whole:
    """The answers to the pieces of a request, each put in its place as it comes: the places are those of the pieces."""

    def __init__(self, rows: int, samples: range | None, pieces: Sequence[Piece]) -> None:
        self.arrays: Arrays = {}
        self._shape = (rows,) if samples is None else (rows, len(samples))
        self._first = 0 if samples is None else samples.start
        self._pieces = pieces

    @property
    def size(self) -> int:
        return prod(self._shape)

    def put(self, place: int, answer: Arrays) -> None:
        if len(self._pieces) == 1:
            self.arrays = answer
            return
        axes = len(self._shape)
        for name, part in answer.items():
            if name not in self.arrays:
                self.arrays[name] = np.empty((*self._shape, *part.shape[axes:]), part.dtype)
            self.arrays[name][self._at(self._pieces[place])] = part

    def _at(self, piece: Piece) -> tuple[slice, ...]:
        if piece.samples is None:
            return (piece.rows,)
        return piece.rows, slice(piece.samples.start - self._first, piece.samples.stop - self._first)
