"""Two unbiased estimates of the ELBO from one draw: with the KL sampled, or in closed form."""

import numpy as np
import torch
from torch import Tensor

from training.families.vae import VAE
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.claim import Claim, Experiment
from training.theory.linear_gaussian import decoder_map, encode_by, exact_terms, linear_vae, marginal, posterior_map

_SAMPLED, _ANALYTIC = "E_q[-log q + log p(x, z)]", "reconstruction - KL"
_TERMS = {_SAMPLED: "log_weight", _ANALYTIC: "elbo"}
_ROUNDING = 1e-9
_SHARP = 0.3  # times the posterior's deviation


def experiment(draws: int = 100_000) -> Experiment:
    """Of one x and a linear VAE; q has the posterior's mean and is too sharp, or is the posterior, or the prior."""
    vae = linear_vae(6, 2, orthogonal=True)
    x = marginal(vae).sample((1,))
    claims = []
    for width, q in ((_SHARP, "too sharp"), (1.0, "the posterior")):
        _set_q(vae, width)
        exact, variances, both = float(exact_terms(vae, x)["elbo"]), _variances(vae, x), _estimates(vae, x, draws)
        apart = both[_SAMPLED] - both[_ANALYTIC]
        for name in _TERMS:
            measured = statistics.mean(both[name])
            claims.append(Claim(f"q {q}: mean of {name}, nats", exact, *measured, tolerance=_ROUNDING))
        differing = statistics.mean(apart)
        claims.append(Claim(f"q {q}: mean difference of the two on the same draws", 0, *differing))
        for name in _TERMS:
            measured = statistics.variance(both[name])
            claims.append(
                Claim(f"q {q}: variance of {name}, nats²", round(variances[name], 12), *measured, tolerance=_ROUNDING)
            )
    _let_q_be_the_prior(vae)
    both = _estimates(vae, x, 100)
    apart = float((both[_SAMPLED] - both[_ANALYTIC]).abs().max())
    claims += [Claim("q the prior: the two are one on every draw, furthest apart", 0, apart, tolerance=1e-10)]
    return Experiment(
        "Two estimates of the ELBO",
        "log p(x, z) - log q(z) at a draw, and the reconstruction at that draw less the KL in closed form, have "
        "the same mean: the ELBO. Which has the smaller variance depends on q. Where q is sharp the closed form "
        "saves the noise of the KL; where q is the posterior the sampled one is log p(x) itself, whatever the "
        "draw. Lines are exact, points measured.",
        tuple(claims),
        (_figure(vae, x),),
    )


def _set_q(vae: VAE, width: float) -> None:
    """The posterior's mean, and so many times its deviations."""
    gain, offset, precision = posterior_map(vae)
    encode_by(vae, gain, offset, width**2 / precision.diagonal())


def _let_q_be_the_prior(vae: VAE) -> None:
    gain, offset, _ = posterior_map(vae)
    encode_by(vae, 0 * gain, 0 * offset, torch.ones_like(offset))


def _estimates(vae: VAE, x: Tensor, draws: int) -> dict[str, Tensor]:
    """One of each from every draw, (draws,)."""
    scored = vae.score(x, torch.randn(1, draws, vae.options.latent, dtype=torch.float64))
    return {name: scored[term][0] for name, term in _TERMS.items()}


def _variances(vae: VAE, x: Tensor) -> dict[str, float]:
    """Both are c + a'eps - eps'B eps / 2 in the noise, whose variance is a'a + tr(B^2) / 2."""
    weight, offset, noise = decoder_map(vae)
    coded = vae.encode(x, torch.zeros(1, vae.options.latent, dtype=torch.float64))
    mean, deviation = coded["mean"][0], (0.5 * coded["log_variance"][0]).exp()
    scaled = weight * deviation
    slope = scaled.T @ ((x[0] - offset - weight @ mean) / noise)
    curvature = scaled.T @ (scaled / noise[:, None])
    with_kl = slope - deviation * mean, curvature + deviation.square().diag() - torch.eye(len(mean)).double()
    parts = {_SAMPLED: with_kl, _ANALYTIC: (slope, curvature)}
    return {name: float(a.square().sum() + 0.5 * b.square().sum()) for name, (a, b) in parts.items()}


def _figure(vae: VAE, x: Tensor) -> str:
    fine, coarse = np.geomspace(0.1, 2, 60), np.geomspace(0.1, 2, 8)
    series = {}
    for name, color in zip(_TERMS, ("first", "second"), strict=True):
        exact, measured = [], []
        for width in fine:
            _set_q(vae, width)
            exact.append(_variances(vae, x)[name])
        for width in coarse:
            _set_q(vae, width)
            measured.append(statistics.variance(_estimates(vae, x, 2000)[name]))
        series[name] = Line(fine, exact, color=color)
        series[f"{name}, 2,000 draws"] = Line(coarse, *zip(*measured, strict=True), style="points", color=color)
    return lines(
        series, across="deviation of q over the posterior's", up="variance, nats²", name="estimators", logarithmic="x"
    )
