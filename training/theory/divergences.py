"""How far two distributions are apart: by quadrature on the line, and by optimal transport of equally likely points."""

import math
from typing import Literal

import numpy as np
import ot
from numpy.typing import NDArray
from scipy.stats import norm

Points = NDArray[np.float64]
Metric = Literal["euclidean", "cityblock"]
_REACH, _PLACES = 12, 20_001  # standard deviations to either side, and points of the quadrature

Law = norm  # a distribution on the line of scipy.stats with `pdf` and `logpdf`


def normal(mean: float = 0.0, deviation: float = 1.0) -> Law:
    return norm(mean, deviation)


def quantiles(rows: int) -> Points:
    """Points that stand for the standard normal, each for an equal part of it, (rows,)."""
    return norm.ppf((np.arange(rows) + 0.5) / rows)


def jensen_shannon(p: Law, q: Law) -> float:
    """(KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2, in nats: 0 where they are the same, log 2 at most."""
    ends = [law.mean() + side * _REACH * law.std() for law in (p, q) for side in (-1, 1)]
    x = np.linspace(min(ends), max(ends), _PLACES)
    log_p, log_q = p.logpdf(x), q.logpdf(x)
    middle = np.logaddexp(log_p, log_q) - math.log(2)
    return float(np.trapezoid(np.exp(log_p) * (log_p - middle) + np.exp(log_q) * (log_q - middle), x) / 2)


def wasserstein(one: Points, other: Points, metric: Metric) -> float:
    """The 1-Wasserstein distance min E d(x, y) of points (n, D) and (m, D), d being `metric`: L2, or L1 (cityblock)."""
    return float(ot.emd2(ot.unif(len(one)), ot.unif(len(other)), ot.dist(one, other, metric=metric)))
