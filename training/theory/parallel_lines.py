"""Two parallel lines: their Jensen-Shannon divergence jumps, their Wasserstein distance is how far they are apart."""

import math

import numpy as np
import ot
import torch
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance_nd
from torch import Tensor

from training.families.gan import GAN
from training.families.wgan import WGAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.divergences import Points, wasserstein
from training.theory.players import LINEAR, estimate, player, set_critic

_ROUNDING = 1e-6
_LOGIT = 40.0  # of a discriminator that is sure: 1 - D is 4e-18
_STEP = 1e-3
_FEW = 20  # points for a linear programme that grows with their square


def experiment(rows: int = 100) -> Experiment:
    """The lines {0} x [0, 1] and {theta} x [0, 1], as `rows` points each (Arjovsky et al. 2017, example 1)."""
    height = (np.arange(rows) + 0.5) / rows
    data = _line(height, 0.0)
    claims = [Claim("of the same line JSD is", 0.0, _divergence(data, data), tolerance=_ROUNDING)]
    claims += [Claim("of the same line W1 is", 0.0, _l1(data, data), tolerance=_ROUNDING)]
    claims += [claim for theta in (-1.0, -0.25, 0.25, 1.0) for claim in _distances(theta, data, _line(height, theta))]
    for theta in (-0.25, 1.0):
        claims += _others(theta, data, _line(height, theta), height) + _gradients(theta, height)
    path = np.linspace(-1.5, 1.5, 61)
    lines = [_line(height, theta) for theta in path]
    figure = functions(
        {
            "W1 = |theta|": (path, np.abs(path)),
            "JSD = log 2, but 0 at theta = 0": (path, np.where(np.abs(path) < _ROUNDING, np.nan, math.log(2))),
        },
        {
            "by optimal transport": (path[::5], np.array([_l1(data, line) for line in lines[::5]])),
            "by a sum over the points": (path[::5], np.array([_divergence(data, line) for line in lines[::5]])),
        },
        across="theta, the distance of the lines",
        up="nats; units of x",
        name="parallel-lines",
    )
    told = (
        "The lines never touch, so a discriminator is always sure of itself, and its divergence is log 2 however "
        "near they are: no slope tells the generator which way to go. The Wasserstein distance is |theta|, with "
        "slope 1 from everywhere. The ground cost is L1, as in the definition min E|x - y|_1; the shift is along "
        "one axis, where L1 and the Euclidean metric agree."
    )
    return Experiment("Two parallel lines, told apart and carried over", told, tuple(claims), (figure,))


def _line(height: np.ndarray, theta: float) -> Points:
    return np.stack([np.full_like(height, theta), height], axis=1)


def _distances(theta: float, data: Points, line: Points) -> list[Claim]:
    at = f"of lines {theta:+g} apart"
    return [
        Claim(f"{at} JSD is log 2", math.log(2), _divergence(data, line), tolerance=_ROUNDING),
        Claim(
            f"{at} W1 by optimal transport, ground cost L1, is |theta|",
            abs(theta),
            _l1(data, line),
            tolerance=_ROUNDING,
        ),
    ]


def _others(theta: float, data: Points, line: Points, height: np.ndarray) -> list[Claim]:
    """The same by other ways."""
    at, few = f"of lines {theta:+g} apart", slice(None, None, -(-len(data) // _FEW))
    squared = ot.emd2(ot.unif(len(data)), ot.unif(len(line)), ot.dist(data, line))
    return [
        Claim(
            f"{at} a sure discriminator finds all of the JSD: the GAN's estimate",
            math.log(2),
            estimate(_sure(theta), _codes(height)),
            tolerance=_ROUNDING,
        ),
        Claim(
            f"{at} W1 with the Euclidean ground cost is the same, by another solver",
            abs(theta),
            wasserstein_distance_nd(data[few], line[few]),
            tolerance=_ROUNDING,
        ),
        Claim(
            f"{at} POT's default ground cost, squared Euclidean, gives theta^2, which is no W1",
            theta**2,
            squared,
            tolerance=_ROUNDING,
        ),
    ]


def _gradients(theta: float, height: np.ndarray) -> list[Claim]:
    at, sign, data = f"at theta = {theta:+g}", math.copysign(1, theta), _line(height, 0.0)
    ends = [_line(height, theta + step) for step in (-_STEP, _STEP)]
    of_jsd, of_w1 = ((d(data, ends[1]) - d(data, ends[0])) / (2 * _STEP) for d in (_divergence, _l1))
    of_minimax, of_wasserstein = (_slope(made, height) for made in (_sure(theta), _best(theta)))
    return [
        Claim(f"{at} the slope of JSD in theta is", 0.0, of_jsd, tolerance=_ROUNDING),
        Claim(
            f"{at} so is the slope of the minimax loss, by a sure discriminator", 0.0, of_minimax, tolerance=_ROUNDING
        ),
        Claim(f"{at} the slope of W1 in theta is the sign of theta", sign, of_w1, tolerance=_ROUNDING),
        Claim(
            f"{at} so is the slope of the Wasserstein generator's loss, by the best critic of slope 1",
            sign,
            of_wasserstein,
            tolerance=_ROUNDING,
        ),
    ]


def _divergence(data: Points, line: Points) -> float:
    """JSD of equally likely points, in nats, by a sum over all of them."""
    places, which = np.unique(np.concatenate([data, line]), axis=0, return_inverse=True)
    p, q = (np.bincount(part, minlength=len(places)) / len(part) for part in np.split(which.ravel(), 2))
    return float(jensenshannon(p, q)) ** 2


def _l1(data: Points, line: Points) -> float:
    return wasserstein(data, line, "cityblock")


def _sure(theta: float) -> GAN:
    """A generator of the line at theta, and a discriminator with logits +-_LOGIT on either line."""
    gan = player(GAN, [theta, 0.0], critic=LINEAR, objective="minimax")
    set_critic(gan, [-2 * _LOGIT / theta, 0.0], _LOGIT)
    return gan


def _best(theta: float) -> WGAN:
    """A generator of the line at theta, and a critic that falls with slope 1 from the data to it."""
    wgan = player(WGAN, [theta, 0.0], critic=LINEAR)
    set_critic(wgan, [-math.copysign(1, theta), 0.0])
    return wgan


def _codes(height: np.ndarray) -> Tensor:
    return torch.tensor(_line(height, 0.0), dtype=torch.float32)


def _slope(made: GAN | WGAN, height: np.ndarray) -> float:
    """Of the generator's loss in theta."""
    made.generator_loss(made.value(made.generate(_codes(height))["x"], None)).backward()
    return made.generator[-1].bias.grad[0].item()
