"""The two halves that autoencoders and VAEs share: x to the parameters of a code, and a code to p(x | z)."""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from models.fields import Frozen
from models.manifest import Example
from training.distributions import LIKELIHOODS
from training.networks import Hidden, mlp

Shape = tuple[int, ...]


class CoderOptions(Frozen):
    """The size of the code, p(x | z), and the hidden layers of either half."""

    latent: Annotated[int, Field(ge=1)]
    likelihood: Literal["bernoulli", "binomial", "gaussian"]
    encoder: Hidden = Hidden()
    decoder: Hidden = Hidden()


class Encoder(nn.Module):
    """x (batch, *shape) to `outputs` numbers a row; a bounded x is scaled to 0..1 first, another standardized."""

    def __init__(self, options: CoderOptions, example: Example, shape: Shape, outputs: int) -> None:
        super().__init__()
        low, high = example.range or (0.0, 1.0)
        self.center: Tensor
        self.spread: Tensor
        self.register_buffer("center", torch.full((math.prod(shape),), low))
        self.register_buffer("spread", torch.full((math.prod(shape),), high - low))
        self.network = mlp(math.prod(shape), options.encoder, outputs)

    def forward(self, x: Tensor) -> Tensor:
        return self.network((x.flatten(1) - self.center) / self.spread)


class Decoder(nn.Module):
    """p(x | z) for codes z (batch, [samples,] latent)."""

    def __init__(self, options: CoderOptions, example: Example, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.likelihood = LIKELIHOODS[options.likelihood](example, math.prod(shape))
        self.network = mlp(options.latent, options.decoder, math.prod(shape))

    def log_prob(self, x: Tensor, z: Tensor) -> Tensor:
        """log p(x | z) in nats: (batch,), or (batch, samples) where z has that axis."""
        flat = x.flatten(1)
        return self.likelihood.log_prob(flat if z.dim() == 2 else flat.unsqueeze(1), self.network(z))

    def decode(self, z: Tensor, pixel: Tensor) -> dict[str, Tensor]:
        """A draw x, its expectation `mean`, and the code itself, for codes (batch, latent)."""
        parameters = self.network(z)
        x = self.likelihood.draw(parameters, pixel.flatten(1, len(self.shape)))
        return {
            "x": x.unflatten(1, self.shape),
            "mean": self.likelihood.mean(parameters).unflatten(1, self.shape),
            "z": z,
        }
