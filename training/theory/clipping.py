"""Clipped weights bound a critic's slope by a constant that nobody chose: what it estimates is K times the distance."""

from typing import NamedTuple

import numpy as np
import torch

from training.families.wgan import WGAN
from training.networks.mlp import Hidden
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.players import LINEAR, SMALL, draws, estimate, greatest_slope, normals, player, teach

_SHIFT = 2.0
_BOXES = (0.01, 0.1)
_ROUNDING = 1e-5
_FACTOR = 100.0
_RANGE = torch.linspace(-5, 7, 1201)[:, None]


class _Taught(NamedTuple):
    """A critic, its greatest weight after each of its steps, and after every tenth part of them its estimate."""

    critic: WGAN
    greatest: list[float]
    estimates: list[float]

    @property
    def K(self) -> float:  # noqa: N802
        """The estimate over W1."""
        return self.estimates[-1] / _SHIFT


def experiment(steps: int = 150) -> Experiment:
    """Critics of N(0, 1) against N(2, 1), W1 = 2, in boxes of two sizes."""
    deep = {box: _taught(SMALL, box, steps) for box in _BOXES}
    claims = [claim for box in _BOXES for claim in _of_the_box(box, deep[box], _taught(LINEAR, box, steps))]
    narrow, wide = (deep[box].K for box in _BOXES)
    claims += [
        Claim(
            f"networks' estimates of one W1, with clip = {_BOXES[1]:g} over that with {_BOXES[0]:g}",
            _FACTOR,
            wide / narrow,
            relation=">",
        )
    ]
    taken = np.linspace(0.1, 1, 10) * steps
    figure = functions(
        {
            **{f"estimate, clip = {box:g}": (taken, np.array(deep[box].estimates)) for box in _BOXES},
            "W1": (taken, np.full(10, _SHIFT)),
        },
        {},
        across="steps of the critic",
        up="estimate, log scale",
        name="clipping",
        logarithmic=True,
    )
    told = (
        "A box around the weights does bound the slope, but by a constant K that follows from the box and the "
        "network and not from the data: the estimate is a distance in a unit that nobody knows. For a linear "
        "critic K is the clip itself; for a network of three layers it goes with its cube, so a small change of "
        "the clip is a great one of K."
    )
    return Experiment("Clipped weights: K times the distance", told, tuple(claims), (figure,))


def _of_the_box(box: float, deep: _Taught, linear: _Taught) -> list[Claim]:
    (inputs, outputs), steepest = SMALL.widths, greatest_slope(deep.critic, _RANGE)
    outside = sum(greatest > box * (1 + _ROUNDING) for greatest in deep.greatest)
    return [
        Claim(f"clip = {box:g}: steps after which a weight lay outside the box", 0.0, outside),
        Claim(
            f"clip = {box:g}: the greatest weight after any step, on the wall", box, max(deep.greatest), tolerance=1e-8
        ),
        Claim(
            f"clip = {box:g}: the K that a linear critic carries, its estimate over W1, is the clip",
            box,
            linear.K,
            tolerance=_ROUNDING,
        ),
        Claim(
            f"clip = {box:g}: the K that a network of {inputs} and {outputs} units carries, its greatest slope at most",
            steepest,
            deep.K,
            relation="<",
            tolerance=_ROUNDING * steepest,
        ),
        Claim(
            f"clip = {box:g}: its greatest slope is {inputs} * {outputs} * clip^3 at most",
            inputs * outputs * box**3,
            steepest,
            relation="<",
            tolerance=_ROUNDING * steepest,
        ),
    ]


def _taught(critic: Hidden, box: float, steps: int) -> _Taught:
    taught, z = _Taught(player(WGAN, [_SHIFT], critic=critic, constraint="clip", clip=box), [], []), normals(1000)
    for step in teach(taught.critic, draws, steps):
        taught.greatest.append(max(weight.abs().max().item() for weight in taught.critic.critic.parameters()))
        if step * 10 % steps == 0:
            taught.estimates.append(estimate(taught.critic, z))
    return taught
