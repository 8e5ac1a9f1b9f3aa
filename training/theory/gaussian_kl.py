"""The KL of a normal posterior from the standard normal: the closed form against integration and sampling."""

import math
from itertools import product

import numpy as np
import torch
from scipy.integrate import quad

from training.distributions import gaussian_kl, normal_log_prob, reparameterize, standard_normal_log_prob
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.claim import Claim, Experiment

_MEANS = (-2.0, 0.0, 0.5, 3.0)
_DEVIATIONS = (0.1, 0.5, 1.0, 2.5)
_SAMPLED = ((0.0, 0.5), (1.0, 1.0), (-2.0, 2.5))
_CURVES = {0.0: "first", 1.0: "second"}


def experiment(draws: int = 100_000) -> Experiment:
    """KL(N(mu, sigma^2) || N(0, 1)) of many pairs, by the project's closed form and two others."""
    torch.manual_seed(0)
    pairs = list(product(_MEANS, _DEVIATIONS))
    off = max(abs(_closed(*pair) - _integral(*pair)) for pair in pairs)
    dimensions = torch.tensor(pairs, dtype=torch.float64)
    joint = torch.distributions.kl_divergence(
        torch.distributions.MultivariateNormal(dimensions[:, 0], dimensions[:, 1].square().diag()),
        torch.distributions.MultivariateNormal(torch.zeros(len(pairs)).double(), torch.eye(len(pairs)).double()),
    )
    claims = (
        Claim("Closed form against numerical integration, 16 pairs of μ and σ: furthest off", 0, off, tolerance=1e-8),
        *(_sampled(mean, deviation, draws) for mean, deviation in _SAMPLED),
        Claim("It is 0 where q is the prior", 0, _closed(0.0, 1.0), tolerance=1e-12),
        Claim(
            "It is above 0 elsewhere: the least, among pairs that are not the prior",
            0,
            min(_closed(*pair) for pair in pairs if pair != (0.0, 1.0)),
            relation=">",
        ),
        Claim(
            "The sum over independent dimensions is the KL of the joint, nats",
            float(joint),
            sum(_closed(*pair) for pair in pairs),
            tolerance=1e-8,
        ),
    )
    return Experiment(
        "The Gaussian KL in closed form",
        "KL(N(μ, σ²) ‖ N(0, 1)) = (μ² + σ² - 1 - log σ²) / 2. Numerical integration gives the "
        "same number, and so does, but for noise, the mean of log q(z) - log p(z) over draws from q. In the figure "
        "the lines are the closed form, and the points such means of a few hundred draws.",
        claims,
        (_figure(),),
    )


def _closed(mean: float, deviation: float) -> float:
    at = (torch.tensor(number, dtype=torch.float64) for number in (mean, 2 * math.log(deviation)))
    return float(gaussian_kl(*at))


def _integral(mean: float, deviation: float) -> float:
    """Of q (log q - log p), as far as 12 deviations to either side."""

    def ratio(z: float) -> float:
        return _log_density(z, mean, deviation) - _log_density(z, 0, 1)

    inside = (mean - 12 * deviation, mean + 12 * deviation)
    return float(
        quad(lambda z: math.exp(_log_density(z, mean, deviation)) * ratio(z), *inside, epsabs=1e-11, limit=200)[0]
    )


def _log_density(z: float, mean: float, deviation: float) -> float:
    return -0.5 * ((z - mean) / deviation) ** 2 - math.log(deviation) - 0.5 * math.log(2 * math.pi)


def _monte_carlo(mean: float, deviation: float, draws: int) -> statistics.Estimate:
    """The mean of log q(z) - log p(z) over draws from q."""
    at = torch.full((draws, 1), mean).double(), torch.full((draws, 1), 2 * math.log(deviation)).double()
    z = reparameterize(*at, torch.randn(draws, 1).double())
    return statistics.mean(normal_log_prob(z, *at) - standard_normal_log_prob(z))


def _sampled(mean: float, deviation: float, draws: int) -> Claim:
    estimate = _monte_carlo(mean, deviation, draws)
    statement = f"Closed form against the mean over {draws:,} draws: μ = {mean:g}, σ = {deviation:g}"
    return Claim(statement, _closed(mean, deviation), *estimate)


def _figure() -> str:
    series = {}
    for mean, color in _CURVES.items():
        fine, coarse = np.geomspace(0.1, 3, 60), np.geomspace(0.12, 2.8, 9)
        sampled = [_monte_carlo(mean, deviation, 300) for deviation in coarse]
        series[f"μ = {mean:g}"] = Line(fine, [_closed(mean, deviation) for deviation in fine], color=color)
        series[f"μ = {mean:g}, 300 draws"] = Line(coarse, *zip(*sampled, strict=True), style="points", color=color)
    return lines(series, across="σ", up="nats", name="gaussian-kl", logarithmic="x")
