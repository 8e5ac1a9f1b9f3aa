"""What each noise means, for a seed, an index and a temperature.

One 64-bit word of Philox 4x64-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3") gives one value.
The key is (seed, first 8 bytes of sha256(name), little-endian) and the counter (block in two words, line, 0). A row
takes whole blocks of four words, and rows lie behind each other on line 0; where a row has samples, these do so on line
1 + row. Every row and every sample has an address of its own, can be drawn alone, and many are drawn in one go.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from models.inverse_cdf import INVERSE_CDF, Floats
from models.philox import WORDS_PER_BLOCK, Philox, Span

NoiseKind = Literal["normal", "logistic", "gumbel"]

# ONNX operators that draw their own noise: a graph that holds one is not a function.
RANDOM_OPERATORS = frozenset(
    {"RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike", "Bernoulli", "Multinomial"}
)

_PHILOX = Philox()
_AT_A_TIME = 4000  # blocks whose words stay in the processor's cache, and are memory that is not mapped anew each time
_ONE = np.float64(1.0).view(np.uint64)


@dataclass(frozen=True)
class Stretch:
    """Rows `index` to `index + rows - 1` of a seed, with these samples of each."""

    seed: int
    index: int = 0
    rows: int = 1
    samples: range | None = None
    temperature: float = 1.0


def draw(
    kind: NoiseKind,
    name: str,
    shape: tuple[int, ...],
    *,
    seed: int,
    index: int = 0,
    rows: int = 1,
    samples: range | None = None,
    temperature: float = 1.0,
) -> NDArray[np.float32]:
    """Draw rows `index` to `index + rows - 1` of the noise input `name`.

    Returns (rows, *shape), or (rows, len(samples), *shape) where the noise has a samples axis; float32, multiplied by
    `temperature`. A row depends on (seed, name, shape, its index, sample) alone, never on what is drawn with it.
    """
    return draw_together(kind, name, shape, [Stretch(seed, index, rows, samples, temperature)])


def draw_together(
    kind: NoiseKind, name: str, shape: tuple[int, ...], stretches: Sequence[Stretch]
) -> NDArray[np.float32]:
    """The rows of several stretches below each other; all have as many samples, or none has a samples axis."""
    samples, count = stretches[0].samples, prod(shape)
    rows = sum(stretch.rows for stretch in stretches)
    blocks = -(-count // WORDS_PER_BLOCK)
    streams = rows if samples is None else rows * len(samples)
    values = np.empty((streams, blocks * WORDS_PER_BLOCK), np.float32)
    _fill(values.reshape(-1), INVERSE_CDF[kind], name, _spans(stretches, blocks))
    values = values[:, :count].reshape((rows, *shape) if samples is None else (rows, len(samples), *shape))
    _temper(values, stretches)
    return values


def _fill(
    values: NDArray[np.float32], inverse_cdf: Callable[[Floats], Floats], name: str, spans: Iterator[Span]
) -> None:
    name_word = int.from_bytes(sha256(name.encode()).digest()[:8], "little")
    start = 0
    for words in _PHILOX.words(name_word, spans, _AT_A_TIME * WORDS_PER_BLOCK):
        values[start : start + len(words)] = inverse_cdf(_open_uniform(words))
        start += len(words)


def _spans(stretches: Sequence[Stretch], blocks: int) -> Iterator[Span]:
    """Where the stretches' rows and samples lie, in their order, if each takes so many blocks."""
    for stretch in stretches:
        for line, streams in _lines(stretch):
            for first in range(streams.start * blocks, streams.stop * blocks, _AT_A_TIME):
                yield Span(stretch.seed, line, first, min(_AT_A_TIME, streams.stop * blocks - first))


def _lines(stretch: Stretch) -> Iterable[tuple[int, range]]:
    rows = range(stretch.index, stretch.index + stretch.rows)
    return [(0, rows)] if stretch.samples is None else ((1 + row, stretch.samples) for row in rows)


def _temper(values: NDArray[np.float32], stretches: Sequence[Stretch]) -> None:
    start = 0
    for stretch in stretches:
        if stretch.temperature != 1.0:
            tempered = values[start : start + stretch.rows]
            tempered *= np.float32(stretch.temperature)
            tempered += np.float32(0.0)  # at temperature 0, a negative zero would tell seeds apart
        start += stretch.rows


def _open_uniform(words: NDArray[np.uint64]) -> Floats:
    """The top 52 bits and a half, over 2^52: never 0, never 1. The words are made into it where they are.

    The bits are the fraction of a number from 1 to 2; less 1 it is their uniform, and the half more.
    """
    words >>= np.uint64(12)
    words |= _ONE
    u = words.view(np.float64)
    u -= 1.0 - 2.0**-53
    return u
