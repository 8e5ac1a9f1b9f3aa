"""What a sample tells, with its standard error."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Estimate(NamedTuple):
    """A value and its standard error."""

    value: float
    std_error: float


def mean(draws: ArrayLike) -> Estimate:
    """Of independent draws, (n,)."""
    exact = np.asarray(draws, np.float64)
    return Estimate(float(exact.mean()), float(exact.std(ddof=1) / math.sqrt(exact.size)))


def variance(draws: ArrayLike) -> Estimate:
    """Of independent draws, (n,); Var s^2 is (m4 - sigma^4) / n for large n."""
    exact = np.asarray(draws, np.float64)
    squares = (exact - exact.mean()) ** 2
    return Estimate(float(exact.var(ddof=1)), float(squares.std() / math.sqrt(exact.size)))


def ratio(above: Estimate, below: Estimate) -> Estimate:
    """Of two estimates that know nothing of each other, by the delta method."""
    value = above.value / below.value
    return Estimate(value, abs(value) * math.hypot(above.std_error / above.value, below.std_error / below.value))


def difference(left: Estimate, right: Estimate) -> Estimate:
    """Of two estimates that know nothing of each other."""
    return Estimate(left.value - right.value, math.hypot(left.std_error, right.std_error))
