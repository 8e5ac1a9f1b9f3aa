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

from models.philox import WORDS_PER_BLOCK, Philox, Span

NoiseKind = Literal["normal", "logistic", "gumbel"]
Floats = NDArray[np.float64]

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
    `temperature`. A row depends on (seed, name, its index, sample) alone, never on how many rows are drawn with it.
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


def _logistic(u: Floats) -> Floats:
    """1 - u is exact, so that one logarithm of the odds is as good as the difference of two."""
    odds = u / (1.0 - u)
    return np.log(odds, out=odds)


def _gumbel(u: Floats) -> Floats:
    return -np.log(-np.log(u))


def _normal(u: Floats) -> Floats:
    """Inverse normal CDF, relative accuracy 1e-16: algorithm AS 241, PPND16 (Wichura 1988)."""
    q = u - 0.5
    value = _ratio(0.180625 - q * q, _CENTRAL)
    value *= q
    tail = np.flatnonzero(np.abs(q) > 0.425)
    if len(tail):
        value[tail] = np.copysign(_magnitude(u[tail]), q[tail])
    return value


def _magnitude(u: Floats) -> Floats:
    """Of the normal values in the tails."""
    r = np.sqrt(-np.log(np.minimum(u, 1.0 - u)))
    magnitude = _ratio(r - 1.6, _TAIL)
    if r.max() > 5.0:  # one value in 4 * 10^10
        far = r > 5.0
        magnitude[far] = _ratio(r[far] - 5.0, _FAR_TAIL)
    return magnitude


INVERSE_CDF: dict[NoiseKind, Callable[[Floats], Floats]] = {
    "normal": _normal,
    "logistic": _logistic,
    "gumbel": _gumbel,
}


def _ratio(r: Floats, coefficients: Floats) -> Floats:
    """A polynomial over another, of both at once the even powers and the odd ones: half as many steps as one by one."""
    square = r * r
    values = coefficients[-1] * square
    for powers in coefficients[-2:0:-1]:
        values += powers
        values *= square
    values += coefficients[0]
    even, odd = values[:2], values[2:]
    odd *= r
    odd += even
    ratio: Floats = np.divide(odd[0], odd[1], out=odd[0])
    return ratio


def _halves(*polynomials: tuple[float, ...]) -> Floats:
    """Of numerator and denominator the coefficients of the even powers, then those of the odd ones, shape (4, 4, 1)."""
    powers = np.array(polynomials).T
    return np.hstack([powers[0::2], powers[1::2]])[:, :, None]


# Numerators and denominators of AS 241, constant term first.
# fmt: off
_CENTRAL = _halves(
    (3.3871328727963666080e0, 1.3314166789178437745e2, 1.9715909503065514427e3, 1.3731693765509461125e4,
     4.5921953931549871457e4, 6.7265770927008700853e4, 3.3430575583588128105e4, 2.5090809287301226727e3),
    (1.0, 4.2313330701600911252e1, 6.8718700749205790830e2, 5.3941960214247511077e3,
     2.1213794301586595867e4, 3.9307895800092710610e4, 2.8729085735721942674e4, 5.2264952788528545610e3),
)
_TAIL = _halves(
    (1.42343711074968357734e0, 4.63033784615654529590e0, 5.76949722146069140550e0, 3.64784832476320460504e0,
     1.27045825245236838258e0, 2.41780725177450611770e-1, 2.27238449892691845833e-2, 7.74545014278341407640e-4),
    (1.0, 2.05319162663775882187e0, 1.67638483018380384940e0, 6.89767334985100004550e-1,
     1.48103976427480074590e-1, 1.51986665636164571966e-2, 5.47593808499534494600e-4, 1.05075007164441684324e-9),
)
_FAR_TAIL = _halves(
    (6.65790464350110377720e0, 5.46378491116411436990e0, 1.78482653991729133580e0, 2.96560571828504891230e-1,
     2.65321895265761230930e-2, 1.24266094738807843860e-3, 2.71155556874348757815e-5, 2.01033439929228813265e-7),
    (1.0, 5.99832206555887937690e-1, 1.36929880922735805310e-1, 1.48753612908506148525e-2,
     7.86869131145613259100e-4, 1.84631831751005468180e-5, 1.42151175831644588870e-7, 2.04426310338993978564e-15),
)
# fmt: on
