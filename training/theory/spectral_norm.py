"""Spectral norms of 1 keep a critic's slope at 1 at most: how near to the Wasserstein distance it comes."""

import numpy as np
import torch
from scipy.stats import wasserstein_distance
from torch import nn

from training.families.wgan import WGAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.divergences import quantiles
from training.theory.players import draws, estimate, greatest_slope, normals, player, teach

_SHIFT = 2.0
_NEAR = 0.02  # of the distance
_FOUND = 1e-3  # to which power iteration has found a norm
_RANGE = torch.linspace(-5, 7, 1201)[:, None]


def experiment(steps: int = 300) -> Experiment:
    """A critic of N(0, 1) against N(2, 1)."""
    critic = player(WGAN, [_SHIFT], constraint="spectral_norm")
    times, estimates, z = [], [], normals(2000)
    for step in teach(critic, draws, steps):
        if step * 10 % steps == 0:
            times.append(step)
            estimates.append(estimate(critic, z))
    seen = estimate(critic, normals(10_000))
    claims = (
        *(
            Claim(
                f"after training the largest singular value of layer {number}'s matrix is",
                1.0,
                torch.linalg.svdvals(layer.weight.detach())[0].item(),
                tolerance=_FOUND,
            )
            for number, layer in enumerate((m for m in critic.critic.modules() if isinstance(m, nn.Linear)), 1)
        ),
        Claim(
            "so the critic's slope is at most 1: the greatest from -5 to 7",
            1.0,
            greatest_slope(critic, _RANGE),
            relation="<",
            tolerance=_FOUND,
        ),
        Claim(
            "its estimate is no more than W1 of N(0, 1) and N(2, 1), which is 2",
            wasserstein_distance(quantiles(10_000), _SHIFT + quantiles(10_000)),
            seen,
            relation="<",
            tolerance=_FOUND * _SHIFT,
        ),
        Claim("its estimate is within 2 % of W1", _SHIFT, seen, tolerance=_NEAR * _SHIFT),
    )
    figure = functions(
        {"W1": (np.array([0, steps]), np.array([_SHIFT, _SHIFT]))},
        {"the critic's estimate": (np.array(times), np.array(estimates))},
        across="steps of the critic",
        up="Euclidean distance, units of x",
        name="spectral-norm",
    )
    told = (
        "A fully connected network's slope is no more than the product of its layers' largest singular values, so "
        "dividing each by its own makes the bound exact: such a critic never estimates more than W1. Within the "
        "bound it loses little here, where one layer after the other can pass the whole slope on."
    )
    return Experiment("Spectral norms: never above the distance", told, claims, (figure,))
