"""A gradient penalty keeps a critic's Euclidean slope near 1: how near to the Wasserstein distance it comes."""

import numpy as np
import torch
from scipy.stats import norm, wasserstein_distance

from training.datasets.toys import MIXTURES
from training.families.wgan import WGAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.divergences import quantiles, wasserstein
from training.theory.players import LINEAR, draws, estimate, greatest_slope, normals, player, set_critic, teach

_SHIFT = 2.0
_WEIGHTS = ((3.0, 4.0), (0.6, 0.8), (0.0, 0.5), (1.0, 1.0))
_ROUNDING = 1e-4  # of some hundred in float32
_NEAR = 0.02  # of the distance
_SOFT, _HARD = 10.0, 100.0


def experiment(steps: int = 400) -> Experiment:
    """Critics of N(0, 1) against N(2, 1), and of the ring of eight normals against a point in its middle."""
    z = normals(10_000)
    soft, hard = (_taught(penalty, steps) for penalty in (_SOFT, _HARD))
    estimates = [estimate(critic, z) for critic in (soft, hard)]
    ring = torch.tensor(MIXTURES["ring"].draw(500, np.random.default_rng(0)))
    middle = np.zeros((1, 2))
    claims = [
        Claim(
            f"the penalty of a linear critic w . x is lambda (|w| - 1)^2: w = {w}, lambda = {_SOFT:g}",
            _SOFT * (np.hypot(*w) - 1) ** 2,
            _penalty(w),
            tolerance=_ROUNDING,
        )
        for w in _WEIGHTS
    ]
    claims += [
        Claim(
            "W1 of N(0, 1) and N(2, 1), by their quantiles, is 2",
            _SHIFT,
            wasserstein_distance(quantiles(10_000), _SHIFT + quantiles(10_000)),
            tolerance=1e-9,
        ),
        Claim(f"a critic with lambda = {_HARD:g} comes within 2 %", _SHIFT, estimates[1], tolerance=_NEAR * _SHIFT),
        Claim(
            f"with lambda = {_SOFT:g} the penalty gives way: it estimates W1 and the integral of (P - Q)^2 / (2 lambda m), "
            "within 2 %",
            _SHIFT + _excess(_SOFT),
            estimates[0],
            tolerance=_NEAR * _SHIFT,
        ),
        Claim("which is above W1", _SHIFT, estimates[0], relation=">"),
        *(
            Claim(
                f"over its greatest slope the estimate is no more than W1: lambda = {penalty:g}",
                _SHIFT,
                seen / greatest_slope(critic, torch.linspace(-5, 7, 1201)[:, None]),
                relation="<",
            )
            for penalty, seen, critic in zip((_SOFT, _HARD), estimates, (soft, hard), strict=True)
        ),
    ]
