"""The Wasserstein GAN (Arjovsky et al. 2017): a critic of bounded slope measures how far samples are from data."""

from typing import Annotated, ClassVar, Literal, Self

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.parametrizations import spectral_norm

from models.manifest import Example
from training.adversarial import Adversarial, AdversarialOptions
from training.family import Shape, Turn

_ITERATIONS = 2000


class WGANOptions(AdversarialOptions):
    """What bounds the critic's slope.

    `clip`: every weight is kept within +-`clip` (Arjovsky et al. 2017). `gradient_penalty`: `penalty` times
    (slope - 1)^2, between data and samples (Gulrajani et al. 2017), taken every `penalty_every` steps and then as much
    the more (Karras et al. 2020). `spectral_norm`: every layer's matrix is divided by its largest singular value
    (Miyato et al. 2018).
    """

    constraint: Literal["clip", "gradient_penalty", "spectral_norm"] = "gradient_penalty"
    clip: Annotated[float, Field(gt=0)] = 0.01
    penalty: Annotated[float, Field(gt=0)] = 10.0
    penalty_every: Annotated[int, Field(ge=1)] = 1
    critic_steps: Annotated[int, Field(ge=1)] = 5


class WGAN(Adversarial):
    """The critic f ascends on E f(x) - E f(G(z)), the generator on E f(G(z)).

    The first is the estimate: for a critic of slope K at most, no more than K times the 1-Wasserstein distance under
    the Euclidean metric, in units of the data's range or spread. K is near 1 with a gradient penalty, at most 1 with
    spectral norms of fully connected layers, unknown with clipping.
    """

    Options = WGANOptions
    realness_kind = "critic"
    absent: ClassVar = {
        "encode": "a Wasserstein GAN has no encoder; nothing tells which code an x would come from",
        "score": "a Wasserstein GAN has no density of x; its critic's values are no log-probabilities",
        "complete": "a Wasserstein GAN makes all of x at once, so it cannot go on from a part",
    }

    def __init__(self, options: WGANOptions, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__(options, example, shape, classes)
        if options.constraint == "spectral_norm":
            for layer in self.critic.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d):
                    spectral_norm(layer)

    def critic_loss(self, real: Tensor, fake: Tensor, condition: Tensor | None, turn: Turn) -> tuple[Tensor, Tensor]:
        estimate = self.value(real, condition).mean() - self.value(fake, condition).mean()
        loss = -estimate
        every = self.options.penalty_every
        if self.options.constraint == "gradient_penalty" and turn.step % every == 0:
            share = torch.special.ndtr(turn.normal(len(real), 1))  # uniform
            loss = loss + every * self.penalty(real + share * (fake - real), condition)
        return loss, estimate.detach()

    def penalty(self, between: Tensor, condition: Tensor | None) -> Tensor:
        """`penalty` times the mean of (slope - 1)^2 at points (batch, D)."""
        return self.options.penalty * (self.slopes(between, condition).norm(dim=1) - 1).square().mean()

    def generator_loss(self, value: Tensor) -> Tensor:
        return -value.mean()

    @torch.no_grad()
    def train(self, mode: bool = True) -> Self:
        """On leaving the training, every spectral norm is found to the last digits: each reading is one iteration."""
        if self.training and not mode and self.options.constraint == "spectral_norm":
            for layer in self.critic.modules():
                if parametrize.is_parametrized(layer):
                    [layer.weight for _ in range(_ITERATIONS)]
        return super().train(mode)

    @torch.no_grad()
    def constrain(self) -> None:
        if self.options.constraint == "clip":
            for weight in self.critic.parameters():
                weight.clamp_(-self.options.clip, self.options.clip)
