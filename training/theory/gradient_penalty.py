"""A gradient penalty keeps a critic's Euclidean slope near 1: how near to the Wasserstein distance it comes."""

from collections import deque

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
_RATE = 2e-2
_POINTS = 1000
_RANGE = torch.linspace(-5, 7, 1201)[:, None]


def experiment(steps: int = 400) -> Experiment:
    """Critics of N(0, 1) against N(2, 1), and of the ring of eight normals against a point in its middle."""
    # On the line a critic that begins with the wrong sign keeps it, for its slope would have to pass through 0, which
    # the penalty holds against it; the weights here begin with the right one.
    soft, hard = (player(WGAN, [_SHIFT], penalty=penalty) for penalty in (_SOFT, _HARD))
    for critic in (soft, hard):
        deque(teach(critic, draws, steps, learning_rate=_RATE), maxlen=0)
    claims = [
        Claim(
            f"the penalty of a linear critic w . x is lambda (|w| - 1)^2, |w| Euclidean: w = {w}, lambda = {_SOFT:g}",
            _SOFT * (np.hypot(*w) - 1) ** 2,
            _penalty(w),
            tolerance=_ROUNDING,
        )
        for w in _WEIGHTS
    ]
    claims += _of_the_line(soft, hard) + _of_the_ring(steps)
    x = np.linspace(-3, 5, 81)
    figure = functions(
        {
            "slope 1": (x, 1 - x),
            f"lambda = {_HARD:g}": (x, _values(hard, x)),
            f"lambda = {_SOFT:g}": (x, _values(soft, x)),
        },
        {},
        across="x: data around 0, samples around 2",
        up="the critic's value, 0 at 1",
        name="gradient-penalty",
    )
    told = (
        "The penalty asks for the Euclidean slope 1 that the best critic has between data and samples. It is a "
        "spring and no wall: the critic gives way by (P - Q) / (2 lambda m), with P and Q the distribution "
        "functions and m the density of the places where the slope is looked at. A greater lambda is nearer to the "
        "distance."
    )
    return Experiment("A penalty on the slope: near the distance", told, tuple(claims), (figure,))


def _of_the_line(soft: WGAN, hard: WGAN) -> list[Claim]:
    z = normals(10_000)
    estimates = {_SOFT: estimate(soft, z), _HARD: estimate(hard, z)}
    steepest = {_SOFT: greatest_slope(soft, _RANGE), _HARD: greatest_slope(hard, _RANGE)}
    known = quantiles(10_000)
    return [
        Claim(
            "W1 of N(0, 1) and N(2, 1), by their quantiles, is 2",
            _SHIFT,
            wasserstein_distance(known, _SHIFT + known),
            tolerance=1e-9,
        ),
        Claim(
            f"a critic with lambda = {_HARD:g} comes within 2 % of it",
            _SHIFT,
            estimates[_HARD],
            tolerance=_NEAR * _SHIFT,
        ),
        Claim(f"one with lambda = {_SOFT:g} is above it", _SHIFT, estimates[_SOFT], relation=">"),
        Claim(
            f"lambda = {_SOFT:g}: above it by the integral of (P - Q)^2 / (2 lambda m), within 2 %",
            _SHIFT + _excess(_SOFT),
            estimates[_SOFT],
            tolerance=_NEAR * _SHIFT,
        ),
        *(
            Claim(
                f"divided by the critic's greatest slope the estimate is no more than W1: lambda = {penalty:g}",
                _SHIFT,
                estimates[penalty] / steepest[penalty],
                relation="<",
            )
            for penalty in estimates
        ),
    ]


def _of_the_ring(steps: int) -> list[Claim]:
    """In the plane, where L1 and Euclidean distances differ; all samples are in the middle.

    On each ray between them the distribution functions are 1 apart and the density m is that of a uniform share.
    """
    ring = torch.tensor(MIXTURES["ring"].draw(_POINTS, np.random.default_rng(0)))
    critic = player(WGAN, [0.0, 0.0], scale=0.0, penalty=_SOFT)
    deque(teach(critic, lambda rows: ring[torch.randint(_POINTS, (rows,))], steps, learning_rate=_RATE), maxlen=0)
    seen = estimate(critic, ring)
    points, middle = ring.double().numpy(), np.zeros((1, 2))
    euclidean, l1 = (wasserstein(points, middle, metric) for metric in ("euclidean", "cityblock"))
    return [
        Claim(
            "W1 of the ring of eight normals and its middle, Euclidean ground cost, is the radius, 1",
            1.0,
            euclidean,
            std_error=MIXTURES["ring"].deviation / _POINTS**0.5,
        ),
        Claim(
            f"a critic with lambda = {_SOFT:g} estimates that and 1 / (2 lambda), within 2 %",
            euclidean + 1 / (2 * _SOFT),
            seen,
            tolerance=_NEAR * euclidean,
        ),
        Claim(
            "W1 of the ring with the L1 ground cost is another number, and more than that critic sees",
            seen,
            l1,
            relation=">",
        ),
    ]


def _penalty(w: tuple[float, float]) -> float:
    critic = player(WGAN, [0.0, 0.0], critic=LINEAR, penalty=_SOFT)
    set_critic(critic, w)
    return critic.penalty(torch.randn(100, 2), None).item()


def _excess(penalty: float) -> float:
    """How far the best critic's estimate lies above W1: its slope is 1 + (P - Q) / (2 penalty m) in size.

    m is the density of share * y + (1 - share) * x, for data x, samples y and a uniform share.
    """
    x, shares = np.linspace(-7, 9, 1601), (np.arange(500) + 0.5) / 500
    apart = norm.cdf(x) - norm.cdf(x, _SHIFT)
    density = norm.pdf(x[:, None], shares * _SHIFT, np.hypot(shares, 1 - shares)).mean(axis=1)
    return float(np.trapezoid(apart**2 / (2 * penalty * density), x))


@torch.no_grad()
def _values(critic: WGAN, x: np.ndarray) -> np.ndarray:
    at = torch.tensor(np.append(x, 1.0), dtype=torch.float32)[:, None]
    values = critic.value(at, None).numpy()
    return values[:-1] - values[-1]
