"""A trained discriminator approaches D* = p / (p + q), where the densities of data and samples are known."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit, xlogy
from scipy.stats import norm
from torch import Tensor

from training.families.gan import GAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.players import player, teach, turn

_GRID = np.linspace(-10, 10, 4001)
_MODES = np.array([-2.0, 2.0])
_DEVIATION = 0.7
_SPREAD = 1.5  # of the samples
_APART = 0.01  # of two probabilities, on average
_SHORT = 0.002  # nats of V
_FRESH = 50_000


def experiment(steps: int = 600) -> Experiment:
    """Data from two equally likely normals at +-2, samples from one wide normal at 0; `steps` of the discriminator."""
    p = norm.pdf(_GRID[:, None], _MODES, _DEVIATION).mean(axis=1)
    q = norm.pdf(_GRID, 0, _SPREAD)
    best = p / (p + q)
    gan = player(GAN, [0.0], scale=_SPREAD)
    answers = [_answers(gan)]
    times = [0]
    for step in teach(gan, _data, steps, rows=512, learning_rate=1e-2):
        if step * 8 % steps == 0:
            answers.append(_answers(gan))
            times.append(step)
    apart = [np.trapezoid((p + q) / 2 * np.abs(answer - best), _GRID) for answer in answers]
    values = [_value(answer, p, q) for answer in answers]
    v, error = _value_of_draws(gan)
    claims = (
        Claim(
            f"before training D(x) lies off p / (p + q), on average over data and samples, by more than {_APART}",
            _APART,
            apart[0],
            relation=">",
        ),
        Claim(f"after {steps} steps D(x) lies off by less than that", _APART, apart[-1], relation="<"),
        Claim(
            f"its V, by quadrature, falls short of V(D*) by less than {_SHORT} nats",
            _value(best, p, q) - _SHORT,
            values[-1],
            relation=">",
        ),
        Claim(
            "at no time of its training is its V above V(D*), in nats", _value(best, p, q), max(values), relation="<"
        ),
        Claim("V by the GAN's own loss, over fresh data and samples, is that V", values[-1], v, std_error=error),
    )
    seen = np.abs(_GRID) < 6
    figures = (
        functions(
            {
                "p / (p + q)": (_GRID[seen], best[seen]),
                f"D after {steps} steps": (_GRID[seen], answers[-1][seen]),
                f"after {times[1]}": (_GRID[seen], answers[1][seen]),
            },
            {},
            across="x",
            up="probability that x is of the data",
            name="optimal-discriminator",
        ),
        functions(
            {"V(D*) - V(D)": (np.array(times[1:]), _value(best, p, q) - np.array(values[1:]))},
            {},
            across="steps of the discriminator",
            up="nats",
            name="optimal-discriminator-gap",
            logarithmic=True,
        ),
    )
    told = (
        "Given x, the best guess is the share that the data have in the density there, p / (p + q). A network that "
        "descends on the GAN's own loss, and has never seen a density, comes to answer it; where neither p nor q "
        "has any mass its answer is arbitrary, which no average over data and samples can see."
    )
    return Experiment("The best discriminator is p / (p + q)", told, claims, figures)


def _data(rows: int) -> Tensor:
    sign = 2.0 * torch.randint(2, (rows, 1)) - 1
    return sign * _MODES[1] + _DEVIATION * torch.randn(rows, 1)


@torch.no_grad()
def _logits(gan: GAN, x: NDArray[np.float64]) -> NDArray[np.float64]:
    return gan.criticize(torch.tensor(x, dtype=torch.float32)[:, None])["realness"].double().numpy()


def _answers(gan: GAN) -> NDArray[np.float64]:
    """D over the grid."""
    return expit(_logits(gan, _GRID))


def _value(answer: NDArray[np.float64], p: NDArray[np.float64], q: NDArray[np.float64]) -> float:
    """V of a discriminator's answers over the grid, in nats."""
    return float(np.trapezoid(xlogy(p, answer) + xlogy(q, 1 - answer), _GRID))


@torch.no_grad()
def _value_of_draws(gan: GAN) -> tuple[float, float]:
    """V by the family's loss, with its standard error."""
    torch.manual_seed(1)
    real, z = _data(_FRESH), torch.randn(_FRESH, 1)
    fake = gan.generate(z)["x"]
    blocks = [
        -gan.critic_loss(x, y, None, turn())[0].item() for x, y in zip(real.split(500), fake.split(500), strict=True)
    ]
    return float(np.mean(blocks)), float(np.std(blocks, ddof=1) / len(blocks) ** 0.5)
