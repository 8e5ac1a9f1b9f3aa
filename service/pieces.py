"""A request cut into pieces that are small enough for one run, and put together again."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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


def assemble(pieces: list[Piece], answers: list[Arrays]) -> Arrays:
    """Chunks of samples side by side, chunks of rows below each other."""
    if len(answers) == 1:
        return answers[0]
    whole = {}
    for name in answers[0]:
        bands: dict[int, list[NDArray[Any]]] = {}
        for piece, answer in zip(pieces, answers, strict=True):
            bands.setdefault(piece.rows.start, []).append(answer[name])
        whole[name] = np.concatenate(
            [band[0] if len(band) == 1 else np.concatenate(band, axis=1) for band in bands.values()]
        )
    return whole
