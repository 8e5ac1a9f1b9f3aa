"""GANs and Wasserstein GANs in few dimensions whose generator is a known map, so that the distances are known too."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, TypeVar

import torch
from lightning_fabric import Fabric
from torch import Tensor

from models.manifest import Example
from training.adversarial import Adversarial
from training.family import Turn
from training.networks.mlp import Hidden
from training.theory.divergences import quantiles

LINEAR = Hidden(widths=())
SMALL = Hidden(widths=(64, 64), activation="leaky_relu")

_NEVER = 10**9  # steps of the critic before the generator takes one

Player = TypeVar("Player", bound=Adversarial)


@torch.no_grad()
def player(kind: type[Player], shift: Sequence[float], scale: float = 1.0, **options: Any) -> Player:
    """One of real x whose generator is G(z) = scale * z + shift, of a z of as many dimensions; weights from seed 0."""
    torch.manual_seed(0)
    dimensions = len(shift)
    small = {"latent": dimensions, "generator": LINEAR, "critic": SMALL, "critic_steps": _NEVER}
    asked = kind.Options.model_validate(small | options)
    made = kind(asked, Example(kind="vector", support="real"), (dimensions,))
    made.generator[-1].weight.copy_(scale * torch.eye(dimensions))
    made.generator[-1].bias.copy_(torch.tensor(shift))
    return made


@torch.no_grad()
def set_critic(made: Adversarial, slope: Sequence[float], offset: float = 0.0) -> None:
    """A linear critic's weights: its value is slope . x + offset."""
    made.critic[-1].weight.copy_(torch.tensor([slope]))
    made.critic[-1].bias.fill_(offset)


def turn(step: int = 0, made: Adversarial | None = None, learning_rate: float = 0.0) -> Turn:
    """A step's place; without optimisers for what only computes a loss."""
    return Turn(step, _fabric(), made.optimizers(learning_rate, 0.0) if made else {})


def estimate(made: Adversarial, z: Tensor) -> float:
    """What its critic makes of the distance between data z, (rows, D), and the samples of those same codes."""
    return made.critic_loss(z, made.generate(z)["x"].detach(), None, turn())[1].item()


def greatest_slope(made: Adversarial, x: Tensor) -> float:
    """Of the critic, at any of x (rows, D)."""
    return made.slopes(x, None).detach().norm(dim=1).max().item()


def normals(rows: int) -> Tensor:
    """Points that stand for the standard normal, (rows, 1)."""
    return torch.tensor(quantiles(rows), dtype=torch.float32)[:, None]


def draws(rows: int) -> Tensor:
    """Of the standard normal, (rows, 1)."""
    return torch.randn(rows, 1)


def teach(
    made: Adversarial, data: Callable[[int], Tensor], steps: int, *, rows: int = 256, learning_rate: float = 5e-3
) -> Iterator[int]:
    """Take the family's own training steps of the critic, and none of the generator; yields the steps taken.

    `data` draws so many rows; the learning rate falls by a cosine to nothing.
    """
    begun = turn(0, made, learning_rate)
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in begun.optimizers.items()}
    torch.manual_seed(0)
    made.train()
    for step in range(1, steps + 1):
        for name, optimizer in begun.optimizers.items():
            for group in optimizer.param_groups:
                group["lr"] = rates[name] * 0.5 * (1 + math.cos(math.pi * (step - 1) / steps))
        made.train_step(data(rows), None, replace(begun, step=step))
        yield step
    made.eval()


@cache
def _fabric() -> Fabric:
    return Fabric(accelerator="cpu", devices=1)
