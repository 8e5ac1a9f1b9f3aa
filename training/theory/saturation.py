"""Without overlap a discriminator saturates and its generator's gradient dies; that of a critic lives on."""

import math
from typing import NamedTuple

import numpy as np
import torch

from training.adversarial import Adversarial
from training.families.gan import GAN
from training.families.wgan import WGAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.players import normals, player, teach, turn

_SHIFT = 2.0
_WIDTH = 0.1  # the standard deviation of data and samples, which are thus twenty of them apart
_SURE = 0.99
_DEAD = 0.01
_GONE = 1e-3
_NEAR = 0.05
_NATS = 0.01


def experiment(steps: int = 300) -> Experiment:
    """Data from N(0, 0.01), samples from N(2, 0.01); each critic takes so many steps, and the generator none."""
    minimax = _taught(player(GAN, [_SHIFT], scale=_WIDTH, objective="minimax"), steps)
    other = _taught(player(GAN, [_SHIFT], scale=_WIDTH), steps)
    wasserstein = _taught(player(WGAN, [_SHIFT], scale=_WIDTH, constraint="spectral_norm"), steps)
    on_data, on_samples = _answers(minimax.player)
    claims = (
        Claim(f"after {steps} steps the discriminator says of data, D(x)", _SURE, on_data, relation=">"),
        Claim(f"after {steps} steps it says of samples, D(G(z))", 1 - _SURE, on_samples, relation="<"),
        Claim(
            "the GAN's estimate has risen to the JSD of what does not overlap, log 2",
            math.log(2),
            minimax.estimate,
            tolerance=_NATS,
        ),
        Claim(
            "at first its minimax loss has a slope in the generator's shift, in size above 0.01",
            _DEAD,
            abs(minimax.slopes[0]),
            relation=">",
        ),
        Claim(
            "at last, against a sure discriminator, the minimax loss has the slope",
            0.0,
            minimax.slopes[-1],
            tolerance=_GONE,
        ),
        Claim(
            "at last the non-saturating loss still has a slope, in size above 0.01",
            _DEAD,
            abs(other.slopes[-1]),
            relation=">",
        ),
        Claim(
            "the Wasserstein critic's estimate has come to W1, 2, within 5 %",
            _SHIFT,
            wasserstein.estimate,
            tolerance=_NEAR * _SHIFT,
        ),
        Claim(
            "the slope of its generator's loss has come to that of W1, 1, within 5 %",
            1.0,
            wasserstein.slopes[-1],
            tolerance=_NEAR,
        ),
    )
    taken = np.arange(len(minimax.slopes)) * steps / (len(minimax.slopes) - 1)
    figure = functions(
        {
            "Wasserstein": (taken, np.abs(wasserstein.slopes)),
            "GAN, minimax": (taken, np.abs(minimax.slopes)),
            "GAN, non-saturating": (taken, np.abs(other.slopes)),
        },
        {},
        across="steps of the critic, while the generator waits",
        up="slope of the generator's loss in its shift",
        name="saturation",
        logarithmic=True,
    )
    told = (
        "Data and samples lie side by side and do not touch. The longer the discriminator learns the surer it is, "
        "and the flatter the minimax loss: a GAN must not train its discriminator too well. A Wasserstein critic "
        "gets better with every step, and its generator's slope with it. The non-saturating loss has a slope, but "
        "one without a unit: it goes with how steep the discriminator happens to be."
    )
    return Experiment("Without overlap", told, claims, (figure,))


class _Taught(NamedTuple):
    """A player, its last estimate, and the slope of its generator's loss in its shift, before and during the steps."""

    player: Adversarial
    estimate: float
    slopes: list[float]


def _taught(made: Adversarial, steps: int) -> _Taught:
    slopes = [_slope(made)]
    for step in teach(made, lambda rows: _WIDTH * torch.randn(rows, 1), steps, learning_rate=2e-2):
        if step * 20 % steps == 0:
            slopes.append(_slope(made))
    real, fake = _points(made)
    return _Taught(made, made.critic_loss(real, fake, None, turn())[1].item(), slopes)


def _points(made: Adversarial) -> tuple[torch.Tensor, torch.Tensor]:
    """Data and samples, as quantiles."""
    z = normals(1000)
    return _WIDTH * z, made.generate(z)["x"].detach()


def _slope(made: Adversarial) -> float:
    """Of the generator's loss in its shift."""
    loss = made.generator_loss(made.value(made.generate(normals(1000))["x"], None))
    return torch.autograd.grad(loss, made.generator[-1].bias)[0].item()


@torch.no_grad()
def _answers(made: Adversarial) -> tuple[float, float]:
    """The mean D of data, and of samples."""
    real, fake = (made.value(points, None).sigmoid().mean().item() for points in _points(made))
    return real, fake
