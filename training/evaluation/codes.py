"""Figures of a model's codes: which units are active, how narrow the posterior is, how well x comes back."""

import numpy as np
from numpy.typing import NDArray

from models.provenance import Figure
from training import views
from training.datasets.splits import Examples
from training.evaluation.figures import mean_figure
from training.exported import Exported

_RESAMPLES = 100
_ACTIVE = 0.01  # a unit is active if the variance of E[z|x] over the data exceeds this (Burda et al. 2016, sec. 5.2)


def code_figures(exported: Exported, test: Examples) -> dict[str, Figure]:
    """Every figure that `encode` and `decode` allow."""
    if "encode" not in exported.operations:
        return {}
    encoded = views.encoded(exported, test)
    figures = {}
    if {"mean", "log_variance"} <= set(encoded):
        figures["active_units"] = _active_units(encoded["mean"])
        figures["posterior_sd"] = mean_figure(np.exp(0.5 * encoded["log_variance"]).mean(axis=1), "a dimension")
    if "decode" in exported.operations:
        error = np.square(views.decoded(exported, encoded["z"], test.label) - test.x)
        figures["squared_error"] = mean_figure(error.reshape(len(error), -1).mean(axis=1), "a dimension")
    return figures


def _active_units(means: NDArray[np.generic]) -> Figure:
    """How many units of E[z|x] vary over the data; the standard error by the bootstrap."""
    random = np.random.default_rng(0)
    resampled = (means[random.integers(0, len(means), len(means))] for _ in range(_RESAMPLES))
    return Figure(
        value=float(_count_active(means)),
        std_error=float(np.std([_count_active(codes) for codes in resampled], ddof=1)) if len(means) > 1 else None,
        unit=f"of {means.shape[1]}",
        split="test",
        examples=len(means),
    )


def _count_active(means: NDArray[np.generic]) -> int:
    return int((means.var(axis=0) > _ACTIVE).sum())
