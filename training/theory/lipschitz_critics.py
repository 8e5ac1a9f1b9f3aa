"""The supremum over critics of slope K at most is K times the Wasserstein distance, so K changes no best generator."""

import numpy as np
import torch
from scipy.optimize import linprog
from scipy.spatial.distance import cdist
from torch import Tensor

from training.datasets.toys import MIXTURES
from training.families.wgan import WGAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.divergences import Metric, Points, wasserstein
from training.theory.players import LINEAR, estimate, normals, player, set_critic

_SOLVED = 1e-6  # to which a linear programme is
_ROUNDING = 1e-5  # of a mean in float32
_CALLED = {"euclidean": "Euclidean", "cityblock": "L1"}


def experiment(rows: int = 24) -> Experiment:
    """Of `rows` points of the ring of eight normals, and of as many samples around a place on a path through it."""
    random = np.random.default_rng(0)
    data, cloud = MIXTURES["ring"].draw(rows, random).astype(np.float64), 0.3 * random.normal(size=(rows, 2))
    path = np.linspace(-1.5, 1.5, 13)
    clouds = [cloud + np.array([place, 0.0]) for place in path]
    distances = np.array([wasserstein(data, moved, "euclidean") for moved in clouds])
    best = {K: np.array([_supremum(data, moved, K, "euclidean") for moved in clouds]) for K in (1, 3)}
    claims = [
        Claim(
            f"the supremum over critics of {_CALLED[metric]} slope {K:g} at most, by a linear programme, is {K:g} "
            f"times W1 by optimal transport, {_CALLED[metric]} too",
            K * wasserstein(data, cloud, metric),
            _supremum(data, cloud, K, metric),
            tolerance=_SOLVED,
        )
        for metric in _CALLED
        for K in (1.0, 3.0)
    ]
    claims += [
        Claim(
            "at 13 places of a generator the supremum for K = 3 is 3 W1, Euclidean: off by at most",
            0.0,
            np.abs(best[3] - 3 * distances).max(),
            tolerance=_SOLVED,
        ),
        Claim(
            "so the place that is best for K = 3 is the best for K = 1",
            path[best[1].argmin()],
            path[best[3].argmin()],
        ),
    ]
    claims += _of_the_family(3.0)
    figure = functions(
        {"W1": (path, distances), "3 W1": (path, 3 * distances)},
        {"supremum, slope 1": (path, best[1]), "supremum, slope 3": (path, best[3])},
        across="place of the generator's cloud on a path through the ring",
        up="Euclidean distance, units of x",
        name="lipschitz-critics",
    )
    told = (
        "The Wasserstein distance is what the best critic of slope 1 sees between data and samples (Kantorovich "
        "and Rubinstein). Critics of slope K see K times as much, of every generator alike: what a critic's bound "
        "is need not be known, and the generator only has its step size changed. Under the L1 metric distances are "
        "longer and the critics are others, so the metric belongs to the number; a Wasserstein GAN's penalty "
        "bounds the Euclidean slope."
    )
    return Experiment("The best critic of slope K sees K times the distance", told, tuple(claims), (figure,))


def _supremum(data: Points, samples: Points, bound: float, metric: Metric) -> float:
    """Of mean f(data) - mean f(samples), over all f on these points with |f(x) - f(y)| <= bound * d(x, y)."""
    points = np.concatenate([data, samples])
    gain = np.concatenate([np.full(len(data), 1 / len(data)), np.full(len(samples), -1 / len(samples))])
    one, other = np.nonzero(~np.eye(len(points), dtype=bool))
    differences = np.eye(len(points))[one] - np.eye(len(points))[other]
    solved = linprog(
        -gain, differences, bound * cdist(points, points, metric)[one, other], bounds=[(0, None)] * len(gain)
    )
    return float(-solved.fun)


def _of_the_family(factor: float) -> list[Claim]:
    """A Wasserstein GAN's own critics, where the samples are the data shifted by 2."""
    z, linear, deep = normals(1000), player(WGAN, [2.0], critic=LINEAR), player(WGAN, [2.0])
    set_critic(linear, [-factor])
    before, slopes, gradient = estimate(deep, z), deep.slopes(z, None), _gradient(deep, z)
    with torch.no_grad():
        for weight in deep.critic[-1].parameters():
            weight.mul_(factor)
    return [
        Claim(
            f"a Wasserstein GAN's linear critic of slope {factor:g} estimates {factor:g} W1 of N(0, 1) and N(2, 1)",
            factor * 2.0,
            estimate(linear, z),
            tolerance=_ROUNDING,
        ),
        Claim(
            f"any critic, times {factor:g}, estimates {factor:g} times as much",
            factor * before,
            estimate(deep, z),
            tolerance=_ROUNDING,
        ),
        Claim(
            f"a critic times {factor:g} has {factor:g} times the slopes: off by at most",
            0.0,
            (deep.slopes(z, None) - factor * slopes).abs().max().item(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "it moves the generator the same way: the cosine of its gradients before and after is",
            1.0,
            torch.cosine_similarity(_gradient(deep, z), gradient, dim=0).item(),
            tolerance=_ROUNDING,
        ),
    ]


def _gradient(wgan: WGAN, z: Tensor) -> Tensor:
    """Of the generator's loss in its weights, flat."""
    loss = wgan.generator_loss(wgan.value(wgan.generate(z)["x"], None))
    return torch.cat([slope.flatten() for slope in torch.autograd.grad(loss, wgan.generator.parameters())])
