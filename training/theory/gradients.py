"""Two estimators of one gradient: through the reparameterized draw, and by the score function."""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from models.manifest import Example
from training.distributions import normal_log_prob, reparameterize
from training.families.vae import VAE, VAEOptions
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.claim import Claim, Experiment

_HIDDEN = {"widths": (16,), "activation": "tanh"}
_PARAMETERS = ("μ", "log σ²")
# Of z^2 at mu = sigma = 1, from the moments 1, 3, 15, 105 of epsilon^2 and so on.
_TRUTH = (2.0, 1.0)
_RATIO = (30 / 4, 136 / 12)


class Gradients(NamedTuple):
    """Of each draw by mu and by log sigma^2, (draws, 2): the terms whose mean is the gradient of an expectation."""

    reparameterized: Tensor
    score_function: Tensor


def experiment(draws: int = 100_000) -> Experiment:
    """Of E_q z^2, where all is known, and of a VAE's reconstruction."""
    torch.manual_seed(0)
    of_square, of_vae = _of_square(draws), _of_vae(draws // 5)
    claims = []
    for number, by in enumerate(_PARAMETERS):
        one, other = (statistics.mean(terms[:, number]) for terms in of_square)
        claims += [
            Claim(f"Gradient of E z² by {by}, through the draw", _TRUTH[number], *one),
            Claim(f"Gradient of E z² by {by}, by the score function", _TRUTH[number], *other),
            Claim(
                f"Their variances by {by}: so many times larger by the score function",
                _RATIO[number],
                *_ratio(of_square, number),
            ),
        ]
    for number, by in enumerate(_PARAMETERS):
        apart = statistics.difference(*(statistics.mean(terms[:, number]) for terms in of_vae))
        claims += [
            Claim(f"A VAE's reconstruction, gradient by {by}: the two differ by", 0, *apart),
            Claim(
                f"A VAE's reconstruction, by {by}: the score function's variance is at least 5 times as large",
                5,
                _ratio(of_vae, number).value,
                relation=">",
            ),
        ]
    return Experiment(
        "The reparameterized gradient has less noise",
        "The gradient of an expectation over q can be taken through the draw, or as the mean of f(z) times the "
        "gradient of log q(z). Both have the same mean, so both would train a VAE; the second has many times the "
        "variance, for it knows the values of f alone, not its slope. The figure has both estimates of one "
        "gradient, from more and more draws.",
        tuple(claims),
        (_figure(of_square),),
    )


def _of_square(draws: int) -> Gradients:
    """f(z) = z^2 at mu = sigma = 1."""
    mean, log_variance = (torch.full((draws, 1), value, dtype=torch.float64).requires_grad_() for value in (1.0, 0.0))
    z = reparameterize(mean, log_variance, torch.randn(draws, 1, dtype=torch.float64))
    return _gradients(z.square().sum(1), z, mean, log_variance)


def _of_vae(draws: int) -> Gradients:
    """f(z) = log p(x | z) of one image, by the first dimension of its code."""
    options = {"latent": 2, "likelihood": "bernoulli", "encoder": _HIDDEN, "decoder": _HIDDEN}
    vae = VAE(
        VAEOptions.model_validate(options), Example(kind="image", support="binary", range=(0, 1)), (4, 4)
    ).double()
    for parameter in vae.decoder.parameters():
        parameter.data *= 3
    x = (torch.rand(1, 4, 4) < 0.5).double().expand(draws, -1, -1)
    draw = vae.draw(x, torch.randn(draws, 1, 2, dtype=torch.float64))
    return _gradients(draw.reconstruction[:, 0], draw.z, draw.mean, draw.log_variance)


def _gradients(value: Tensor, z: Tensor, mean: Tensor, log_variance: Tensor) -> Gradients:
    surrogate = value.detach() * normal_log_prob(z.detach(), mean, log_variance).view(len(value))
    both = (torch.autograd.grad(terms.sum(), (mean, log_variance), retain_graph=True) for terms in (value, surrogate))
    return Gradients(*(torch.stack([part.flatten(1)[:, 0] for part in parts], dim=1) for parts in both))


def _ratio(of: Gradients, number: int) -> statistics.Estimate:
    ours, theirs = (statistics.variance(terms[:, number]) for terms in of)
    return statistics.ratio(theirs, ours)


def _figure(of: Gradients) -> str:
    counts = np.geomspace(30, min(10_000, len(of.score_function)), 9).astype(int)
    names = {"through the draw": ("first", 0.95), "by the score function": ("second", 1.05)}
    series = {"gradient": Line(counts, [_TRUTH[0]] * len(counts), style="dashes", color="ink")}
    for (name, (color, aside)), terms in zip(names.items(), of, strict=True):
        estimates = [statistics.mean(terms[:count, 0]) for count in counts]
        series[name] = Line(counts * aside, *zip(*estimates, strict=True), style="points", color=color)
    return lines(series, across="draws", up="d E z² / d μ", name="gradients", logarithmic="x")
