"""How many modes of a known mixture a model draws, how evenly, and how like the mixture's own points."""

import math

import numpy as np
from numpy.typing import NDArray

from models.provenance import Figure
from training import views
from training.datasets.toys import Mixture
from training.evaluation.figures import mean_figure
from training.evaluation.terms import SEED
from training.exported import Exported

POINTS = 2500

_NEAR = 3.0  # standard deviations, within which a point is of high quality
_WITHIN = 1 - math.exp(-(_NEAR**2) / 2)  # the share of the mixture's own points that are
_SQUARE = 2 - _NEAR**2 * (1 - _WITHIN) / _WITHIN  # E r^2 of those, in units of the variance


def mode_figures(exported: Exported, mixture: Mixture) -> dict[str, Figure]:
    """Of 2,500 samples: the figures of `judge_points`, each but the share a single number without a standard error."""
    return judge_points(views.sampled(exported, POINTS, seed=SEED)["x"], mixture)


def judge_points(points: NDArray[np.generic], mixture: Mixture) -> dict[str, Figure]:
    """`modes` with a point of high quality, that is one within three standard deviations of its nearest center
    (Srivastava et al. 2017); the share of these, of which the mixture itself has 98.89 %; `reverse_kl` in nats of the
    points' shares of the modes from equal ones, of which it has (modes - 1) / (2 points); and `spread`, the standard
    deviation of the points of high quality over the mixture's, of which it has 1.
    """
    distance = np.linalg.norm(points[:, None] - mixture.centers, axis=2)
    nearest, radius = distance.argmin(axis=1), distance.min(axis=1) / mixture.deviation
    near = radius <= _NEAR
    share = np.bincount(nearest, minlength=len(mixture.centers)) / len(points)
    kl = math.log(len(share)) + (share[share > 0] * np.log(share[share > 0])).sum()
    spread = math.sqrt((radius[near] ** 2).mean() / _SQUARE) if near.any() else math.nan
    single = {
        "modes": (float(len(np.unique(nearest[near]))), f"of {len(share)} modes"),
        "reverse_kl": (float(kl), "nats"),
        "spread": (spread, "standard deviations"),
    }
    return {
        **{
            name: Figure(value=value, unit=unit, split="samples", examples=len(points))
            for name, (value, unit) in single.items()
            if math.isfinite(value)
        },
        "high_quality": mean_figure(100.0 * near, "% of samples", split="samples"),
    }
