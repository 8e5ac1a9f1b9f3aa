"""What GANs and Wasserstein GANs share: a generator and a critic that learn against each other."""

import math
from abc import abstractmethod
from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.optim import Optimizer

from models.fields import Frozen
from models.manifest import Example, OperationName
from training.family import Family, Function, Shape, Turn, adamw, one_hot
from training.networks import Hidden, Network, beside, decoder_network, encoder_network

Count = Annotated[int, Field(ge=1)]
Momentum = Annotated[float, Field(ge=0, lt=1)]

_POINTS, _IMAGES = 2500, 10  # of a frame


class AdversarialOptions(Frozen):
    """The size of the code, the two networks, and how they take turns.

    The critic takes `critic_steps` steps to one of the generator, of `critic_pace` times its size. `betas` are those
    of AdamW, for both.
    """

    latent: Count
    generator: Network = Hidden()
    critic: Network = Hidden()
    critic_steps: Count = 1
    critic_pace: Annotated[float, Field(gt=0)] = 1.0
    betas: tuple[Momentum, Momentum] = (0.5, 0.9)


class Adversarial(Family):
    """A generator of x from a normal code, learned from a critic of x alone (Goodfellow et al. 2014).

    With labels both are given them (Mirza and Osindero 2014), the critic as a value for each of which the label's
    counts (Miyato and Koyama 2018). Nothing tells which epoch is best: the last weights are kept, those of the
    generator averaged.
    """

    Options: ClassVar[type[AdversarialOptions]]
    conditional = True

    def __init__(self, options: AdversarialOptions, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__(options, example, shape, classes)
        low, high = example.range or (-1.0, 1.0)
        dimensions = math.prod(shape)
        self.center: Tensor
        self.spread: Tensor
        self.register_buffer("center", torch.full((dimensions,), (low + high) / 2))
        self.register_buffer("spread", torch.full((dimensions,), (high - low) / 2))
        self.generator = decoder_network(options.generator, options.latent + classes, shape, 1)
        self.critic = encoder_network(options.critic, shape, 0, max(1, classes))

    @abstractmethod
    def critic_loss(self, real: Tensor, fake: Tensor, condition: Tensor | None, turn: Turn) -> tuple[Tensor, Tensor]:
        """What the critic descends on, and what it makes of the distance between data and samples."""

    @abstractmethod
    def generator_loss(self, value: Tensor) -> Tensor:
        """What the generator descends on, of the critic's values (batch,) of its samples."""

    def constrain(self) -> None:
        """What is done to the critic's weights after each of its steps."""

    def train_step(self, x: Tensor, label: Tensor | None, turn: Turn) -> dict[str, Tensor]:
        real, condition = self._scaled(x), self._condition(label)
        generators_turn = turn.step % self.options.critic_steps == 0
        with torch.set_grad_enabled(generators_turn):
            fake = self._generated(turn.normal(len(x), self.options.latent), condition)
        loss, estimate = self.critic_loss(real, fake.detach(), condition, turn)
        turn.descend("critic", loss)
        self.constrain()
        with torch.set_grad_enabled(generators_turn):
            against = self.generator_loss(self.value(fake, condition))
        if generators_turn:
            turn.descend("generator", against)
        return {"generator": against, "critic": loss, "estimate": estimate}

    def validation_loss(self, x: Tensor, label: Tensor | None) -> None:
        return None

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, Optimizer]:
        pace = learning_rate * self.options.critic_pace
        return {
            "generator": adamw(self.generator, learning_rate, weight_decay, self.options.betas),
            "critic": adamw(self.critic, pace, weight_decay, self.options.betas),
        }

    def averaged_part(self) -> nn.Module:
        return self.generator

    def value(self, units: Tensor, condition: Tensor | None) -> Tensor:
        """The critic's value (batch,) of x in units of its range or spread, (batch, D)."""
        values = self.critic(units).float()
        return values[:, 0] if condition is None else (values * condition).sum(1)

    def slopes(self, units: Tensor, condition: Tensor | None) -> Tensor:
        """The gradient of each row's value, (batch, D), which can itself be descended on."""
        units = units.detach().requires_grad_()
        return torch.autograd.grad(self.value(units, condition).sum(), units, create_graph=True)[0]

    def generate(self, z: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        """Real x of codes (batch, latent)."""
        return {"x": self._mean(z, label), "z": z}

    def decode(self, z: Tensor, pixel: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        """x of codes (batch, latent): `mean`, rounded up or down at random so that `mean` is its expectation."""
        mean = self._mean(z, label)
        low, high = self.example.range or (-math.inf, math.inf)
        return {"x": (mean + pixel.sigmoid()).floor().clamp(low, high), "mean": mean, "z": z}

    def criticize(self, x: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        return {"realness": self.value(self._scaled(x), self._condition(label))}

    def operations(self) -> dict[OperationName, Function]:
        given, real = self.classes > 0, self.example.support == "real"
        drawn: dict[OperationName, Function] = {
            "sample": Function(self.generate, {"z": "normal"}, label=given),
            "decode": Function(self.generate, label=given),
        }
        rounded: dict[OperationName, Function] = {
            "sample": Function(self.decode, {"z": "normal", "pixel": "logistic"}, label=given),
            "decode": Function(self.decode, {"pixel": "logistic"}, label=given),
        }
        return (drawn if real else rounded) | {"criticize": Function(self.criticize, label=given)}

    def shapes(self) -> dict[str, Shape]:
        whole = dict.fromkeys(("x", "mean", "pixel"), self.shape)
        return whole | {"z": (self.options.latent,), "realness": ()}

    @torch.no_grad()
    def frame(self) -> Tensor | None:
        """What becomes of the same codes at each time of the training: images, or points of the plane."""
        if len(self.shape) == 1 and self.shape != (2,):
            return None
        rows = _POINTS if len(self.shape) == 1 else _IMAGES
        device = self.center.device
        z = torch.randn(rows, self.options.latent, generator=torch.Generator().manual_seed(0)).to(device)
        return self._mean(z, torch.arange(rows, device=device) % self.classes if self.classes else None)

    def _generated(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """Samples in the critic's units, (batch, D): within -1..1 where the data have a range."""
        units = self.generator(beside(z, condition)).float()
        return units if self.example.range is None else units.tanh()

    def _mean(self, z: Tensor, label: Tensor | None) -> Tensor:
        units = self._generated(z, self._condition(label))
        return (self.center + self.spread * units).unflatten(1, self.shape)

    def _scaled(self, x: Tensor) -> Tensor:
        return (x.flatten(1) - self.center) / self.spread

    def _condition(self, label: Tensor | None) -> Tensor | None:
        return None if label is None else one_hot(label, self.classes)
