"""The gradient of a generator that is found out: it vanishes with the minimax loss, not with the non-saturating one."""

import numpy as np
import torch

from training.families.gan import GAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.players import LINEAR, player, set_critic

_OBJECTIVES = ("minimax", "non_saturating")
_ROUNDING = 1e-6
_FOUND_OUT = -20.0


def experiment(steepness: float = 2.0) -> Experiment:
    """Slopes in the discriminator's logit a of a sample, D = sigmoid(a); then in a generator's shift, by a logit
    `steepness` times x.
    """
    logits = np.linspace(-12, 12, 49)
    slopes = {objective: _slopes(objective, logits) for objective in _OBJECTIVES}
    known = {"minimax": -_sigmoid(logits), "non_saturating": -_sigmoid(-logits)}
    found_out = {objective: _slopes(objective, np.array([_FOUND_OUT]))[0] for objective in _OBJECTIVES}
    undecided = [_slopes(objective, np.zeros(1))[0] for objective in _OBJECTIVES]
    through = {objective: _slope_of_shift(objective, steepness, _FOUND_OUT) for objective in _OBJECTIVES}
    blind = [abs(_slope_of_shift(objective, 0.0, 0.0)) for objective in _OBJECTIVES]
    claims = (
        Claim(
            "the slope of log(1 - D) in the logit is -D: at 49 logits from -12 to 12 off by at most",
            0.0,
            np.abs(slopes["minimax"] - known["minimax"]).max(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "the slope of -log D in the logit is -(1 - D): there off by at most",
            0.0,
            np.abs(slopes["non_saturating"] - known["non_saturating"]).max(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "both have the same sign: the greatest of all those slopes",
            0.0,
            max(slope.max() for slope in slopes.values()),
            relation="<",
        ),
        Claim(
            "where the discriminator cannot tell, D = 1/2, they are the same, -1/2: they differ by",
            0.0,
            undecided[0] - undecided[1],
            tolerance=_ROUNDING,
        ),
        Claim("where it cannot tell the minimax slope is", -0.5, undecided[0], tolerance=_ROUNDING),
        Claim(
            "of a sample that is found out, logit -20, the minimax slope is all but 0",
            0.0,
            found_out["minimax"],
            tolerance=_ROUNDING,
        ),
        Claim(
            "of that sample the non-saturating slope is all but -1",
            -1.0,
            found_out["non_saturating"],
            tolerance=_ROUNDING,
        ),
        Claim(
            f"in its generator's shift, along which the logit rises by {steepness:g}, the minimax slope is",
            0.0,
            through["minimax"],
            tolerance=_ROUNDING,
        ),
        Claim(
            "in that shift the non-saturating slope is minus the rise",
            -steepness,
            through["non_saturating"],
            tolerance=_ROUNDING,
        ),
        Claim(
            "both rest where samples are as the data, for D = 1/2 everywhere: the greater of their slopes",
            0.0,
            max(blind),
            tolerance=_ROUNDING,
        ),
    )
    figure = functions(
        {"non-saturating, 1 - D": (logits, -known["non_saturating"]), "minimax, D": (logits, -known["minimax"])},
        {
            "non-saturating, by the GAN": (logits, -slopes["non_saturating"]),
            "minimax, by the GAN": (logits, -slopes["minimax"]),
        },
        across="the discriminator's logit of a sample: left is found out",
        up="size of the slope in the logit",
        name="generator-gradients",
        logarithmic=True,
    )
    told = (
        "Early in the game the discriminator finds samples out easily. The minimax loss log(1 - D) is flat just "
        "there, so the generator that most needs to learn is told least; -log D has the same direction and the "
        "same resting point, and is steepest where samples are worst."
    )
    return Experiment("Why the generator does not descend on V itself", told, claims, (figure,))


def _sigmoid(logits: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logits))


def _slopes(objective: str, logits: np.ndarray) -> np.ndarray:
    """Of the family's loss of each logit alone."""
    gan = player(GAN, [0.0], objective=objective)
    values = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad(gan.generator_loss(values) * len(values), values)  # the loss is a mean
    return slopes.numpy()


def _slope_of_shift(objective: str, steepness: float, logit: float) -> float:
    """Of the loss in the generator's shift, of samples with that logit, which rises so steeply along x."""
    gan = player(GAN, [0.0], critic=LINEAR, objective=objective)
    set_critic(gan, [steepness], logit)
    gan.generator_loss(gan.value(gan.generate(torch.zeros(1, 1))["x"], None)).backward()
    return gan.generator[-1].bias.grad.item()
