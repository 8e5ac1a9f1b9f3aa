"""The bounds that a row of log weights gives, with their Monte Carlo errors."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RELIABLE_SAMPLE_SIZE = 30  # below this effective sample size a standard error cannot be trusted


class Estimate(NamedTuple):
    """A value a row and its standard error, both (rows,), in nats; the error of a single sample is NaN: unknown."""

    value: Floats
    std_error: Floats


def mean(terms: NDArray[np.floating]) -> Estimate:
    """The mean over the samples axis of (rows, K) terms, e.g. the ELBO from one-sample estimates of it."""
    exact = terms.astype(np.float64)
    return Estimate(exact.mean(axis=1), _std_error(exact))


def importance_weighted_bound(log_weight: NDArray[np.floating]) -> Estimate:
    """log (1/K) sum_k exp(log_weight_k) of each row (Burda et al. 2016, eq. 8); its error by the delta method."""
    exact = log_weight.astype(np.float64)
    highest = exact.max(axis=1, keepdims=True)
    weight = np.exp(exact - highest)
    average = weight.mean(axis=1, keepdims=True)
    return Estimate((highest + np.log(average))[:, 0], _std_error(weight / average))


def effective_sample_size(log_weight: NDArray[np.floating]) -> Floats:
    """(sum w)^2 / sum w^2 of each row, between 1 and K (Kong 1992)."""
    weight = np.exp(log_weight.astype(np.float64) - log_weight.max(axis=1, keepdims=True))
    return np.asarray(weight.sum(axis=1) ** 2 / (weight**2).sum(axis=1))


def _std_error(terms: Floats) -> Floats:
    rows, samples = terms.shape
    if samples == 1:
        return np.full(rows, np.nan)
    return np.asarray(terms.std(axis=1, ddof=1) / np.sqrt(samples))
