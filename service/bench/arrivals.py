"""When requests come that know nothing of each other."""

from collections.abc import Iterator

import numpy as np

_SEED = 0


def poisson(rate: float, seconds: float) -> Iterator[float]:
    """Times below `seconds`, so many a second on average; the same ones each time, so that runs can be compared."""
    gaps, time = np.random.default_rng(_SEED), 0.0
    while (time := time + float(gaps.exponential(1 / rate))) < seconds:
        yield time
