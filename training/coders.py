"""The two halves that autoencoders and VAEs share: x to the parameters of a code, and a code to p(x | z)."""

import math
from typing import Annotated, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from models.fields import Frozen
from models.manifest import Example
from training.likelihoods import LIKELIHOODS
from training.networks import Hidden, Network, at_least_single, beside, decoder_network, encoder_network

Shape = tuple[int, ...]


class CoderOptions(Frozen):
    """The size of the code, p(x | z), and the network of either half."""

    latent: Annotated[int, Field(ge=1)]
    likelihood: Literal["bernoulli", "binomial", "discretized_logistic", "gaussian"]
    encoder: Network = Hidden()
    decoder: Network = Hidden()


class Encoder(nn.Module):
    """x (batch, *shape) to `outputs` numbers a row; a bounded x is scaled to 0..1 first, another standardized.

    A condition (batch, c) stands beside x.
    """

    def __init__(self, options: CoderOptions, example: Example, shape: Shape, outputs: int, condition: int = 0) -> None:
        super().__init__()
        low, high = example.range or (0.0, 1.0)
        self.center: Tensor
        self.spread: Tensor
        self.register_buffer("center", torch.full((math.prod(shape),), low))
        self.register_buffer("spread", torch.full((math.prod(shape),), high - low))
        self.network = encoder_network(options.encoder, shape, condition, outputs)

    def forward(self, x: Tensor, condition: Tensor | None = None) -> Tensor:
        return at_least_single(self.network(beside((x.flatten(1) - self.center) / self.spread, condition)))


class Decoder(nn.Module):
    """p(x | z, condition) for codes z (batch, [samples,] latent) and conditions (batch, c)."""

    def __init__(self, options: CoderOptions, example: Example, shape: Shape, condition: int = 0) -> None:
        super().__init__()
        self.shape = shape
        self.likelihood = LIKELIHOODS[options.likelihood](example, math.prod(shape))
        self.network = decoder_network(options.decoder, options.latent + condition, shape, self.likelihood.parameters)

    def log_prob(self, x: Tensor, z: Tensor, condition: Tensor | None = None) -> Tensor:
        """log p(x | z) in nats: (batch,), or (batch, samples) where z has that axis."""
        flat = x.flatten(1)
        return self.likelihood.log_prob(flat if z.dim() == 2 else flat.unsqueeze(1), self._parametrize(z, condition))

    def decode(self, z: Tensor, pixel: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """A draw x, its expectation `mean`, and the code itself, for codes (batch, latent)."""
        parameters = self._parametrize(z, condition)
        x = self.likelihood.draw(parameters, pixel.flatten(1, len(self.shape)))
        return {
            "x": x.unflatten(1, self.shape),
            "mean": self.likelihood.mean(parameters).unflatten(1, self.shape),
            "z": z,
        }

    def _parametrize(self, z: Tensor, condition: Tensor | None = None) -> Tensor:
        return at_least_single(self.network(beside(z, condition)))
