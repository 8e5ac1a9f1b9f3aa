"""The trick that the project is named after: z = g(epsilon) = mu + sigma epsilon is distributed as N(mu, sigma^2)."""

import math

import numpy as np
import torch
from scipy.stats import kstest, norm
from torch import Tensor

from models import noise
from training.distributions import reparameterize
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.claim import Claim, Experiment

_MEAN, _DEVIATION = 1.5, 0.5
_CHANCE = 1e-4  # of a distance as great as the one allowed, were the distribution right


def experiment(draws: int = 100_000) -> Experiment:
    """With the noise that the service draws."""
    epsilon = torch.from_numpy(noise.draw("normal", "epsilon", (), seed=0, rows=draws)).double()
    mean, deviation = (torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in (_MEAN, _DEVIATION))
    z = _g(epsilon, mean, deviation)
    by_mean, by_deviation = (_derivative(z, at) for at in (mean, deviation))
    z = z.detach()
    distance = float(kstest(z.numpy(), norm(_MEAN, _DEVIATION).cdf).statistic)
    claims = (
        Claim("The mean of z is μ", _MEAN, *statistics.mean(z)),
        Claim("The variance of z is σ²", _DEVIATION**2, *statistics.variance(z)),
        Claim(
            "The distribution of z is N(μ, σ²): greatest distance of the distribution functions",
            math.sqrt(-0.5 * math.log(_CHANCE / 2) / draws),
            distance,
            relation="<",
        ),
        Claim("dz/dμ, the mean over the draws, is 1", 1, by_mean / draws, tolerance=1e-9),
        Claim(
            "dz/dσ, the mean over the draws, is that of ε",
            float(epsilon.mean()),
            by_deviation / draws,
            tolerance=1e-9,
        ),
        Claim(
            "Without noise (temperature 0) z is μ",
            _MEAN,
            float(_g(torch.zeros(1).double(), mean, deviation).detach()),
            tolerance=1e-12,
        ),
    )
    return Experiment(
        "g(ε) = μ + σ ε",
        "Standard normal noise, moved and stretched, is a draw from N(μ, σ²). The randomness stands in an "
        "argument, so z has a derivative by μ and by σ, and an encoder can learn through the draw. The figure "
        "has the density, and what the service's own noise gives with two standard errors.",
        claims,
        (_figure(z),),
    )


def _g(epsilon: Tensor, mean: Tensor, deviation: Tensor) -> Tensor:
    return reparameterize(mean, 2 * deviation.log(), epsilon)


def _derivative(z: Tensor, at: Tensor) -> float:
    return float(torch.autograd.grad(z.sum(), at, retain_graph=True)[0])


def _figure(z: Tensor) -> str:
    edges = _MEAN + _DEVIATION * np.linspace(-3.5, 3.5, 29)
    counts, width = np.histogram(z.numpy(), edges)[0], edges[1] - edges[0]
    scale = 1 / (len(z) * width)
    fine = np.linspace(edges[0], edges[-1], 200)
    return lines(
        {
            "density of N(μ, σ²)": Line(fine, norm(_MEAN, _DEVIATION).pdf(fine), color="ink"),
            "μ + σ ε": Line((edges[:-1] + edges[1:]) / 2, counts * scale, np.sqrt(counts) * scale, style="points"),
        },
        across="z",
        up="density",
        name="reparameterization",
    )
