"""Autoregressive models: p(x) as the product of p(x_d | x_<d), so that the likelihood is exact."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import torch
from pydantic import Discriminator, Tag
from torch import Tensor

from models.fields import Frozen
from models.manifest import Example, OperationName
from training import ancestral
from training.errors import RecipeError
from training.family import Family, Function, Shape, Turn, one_hot
from training.likelihoods import LIKELIHOODS
from training.networks import at_least_single
from training.networks.masked import MADE, Masked
from training.networks.rows import RowNetwork, Rows


def _kind(network: Any) -> str:
    given = network if isinstance(network, dict) else getattr(network, "model_fields_set", ())
    return "masked" if "widths" in given else "rows"


_NO_ONE_ORDER: Mapping[OperationName, str] = {
    "complete": "it is a mixture over several orders of the dimensions, so it has no one order in which to go on"
}


class AutoregressiveOptions(Frozen):
    """p(x_d | x_<d), and the network that gives its parameters: masked layers of some `widths`, or one over rows."""

    likelihood: Literal["bernoulli", "binomial", "discretized_logistic", "gaussian"]
    network: Annotated[Annotated[Masked, Tag("masked")] | Annotated[Rows, Tag("rows")], Discriminator(_kind)]


class Autoregressive(Family):
    """Minimises -log p(x), which is exact, in nats.

    With several orders p is their mixture, each as likely as another (Uria et al. 2014).
    """

    Options = AutoregressiveOptions
    absent: Mapping[OperationName, str] = {
        "encode": "an autoregressive model has no code to encode x into",
        "decode": "an autoregressive model has no code, so there is nothing to decode",
        "criticize": "an autoregressive model has no discriminator",
    }

    def __init__(self, options: AutoregressiveOptions, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__(options, example, shape, classes)
        dimensions = math.prod(shape)
        low, high = example.range or (-1.0, 1.0)
        zero = low if isinstance(options.network, Masked) else (low + high) / 2  # what is mostly low is best near 0
        self.likelihood = LIKELIHOODS[options.likelihood](example, dimensions)
        self.center: Tensor
        self.spread: Tensor
        self.register_buffer("center", torch.full((dimensions,), zero))
        self.register_buffer("spread", torch.full((dimensions,), high - zero))
        if isinstance(options.network, Masked):
            self.network: MADE | RowNetwork = MADE(options.network, dimensions, self.likelihood.parameters)
        elif len(shape) == 2:
            self.network = RowNetwork(options.network, shape, self.likelihood.parameters)
        else:
            raise RecipeError(f"a network over rows is for images, not for data of shape {list(shape)}; take widths")
        if self.network.orders > 1:
            self.absent = self.absent | _NO_ONE_ORDER

    def train_step(self, x: Tensor, label: Tensor | None, turn: Turn) -> dict[str, Tensor]:
        """Every order learns from every x: the mean of -log p over the orders is no less than that of their mixture."""
        loss = -self._log_prob(x).mean()
        turn.descend("all", loss)
        return {"loss": loss}

    def validation_loss(self, x: Tensor, label: Tensor | None) -> Tensor:
        return -self.score(x)["log_weight"].squeeze(1)

    def score(self, x: Tensor) -> dict[str, Tensor]:
        """log p(x), (batch, 1), in nats: the log of the mean over the orders of their joint probabilities."""
        log_prob = self._log_prob(x)
        return {"log_weight": log_prob.logsumexp(1, keepdim=True) - math.log(self.network.orders)}

    def complete(self, x: Tensor, mask: Tensor, pixel: Tensor) -> dict[str, Tensor]:
        """x where the mask is 1; each other dimension drawn given all before it in the order."""
        kept = mask.flatten(1) > 0
        return {"x": self._draw(torch.where(kept, x.flatten(1), 0.0), kept, pixel, x.new_ones(x.shape[0], 1))}

    def sample(self, pixel: Tensor, order: Tensor) -> dict[str, Tensor]:
        """x, drawn in the order that the noise `order` (batch, orders) picks."""
        start = pixel.new_zeros(pixel.shape[0], math.prod(self.shape))
        return {"x": self._draw(start, start > 0, pixel, one_hot(order.argmax(1), self.network.orders))}

    def operations(self) -> dict[OperationName, Function]:
        pixel = self.likelihood.noise
        if self.network.orders > 1:
            sample = Function(self.sample, noise={"pixel": pixel, "order": "gumbel"})
            return {"sample": sample, "score": Function(self.score)}
        return {
            "sample": Function(self.complete, noise={"pixel": pixel}, fill={"x": 0, "mask": 0}),
            "score": Function(self.score),
            "complete": Function(self.complete, noise={"pixel": pixel}),
        }

    def shapes(self) -> dict[str, Shape]:
        pixel = self.likelihood.noise_shape(self.shape)
        return {"x": self.shape, "mask": self.shape, "pixel": pixel, "order": (self.network.orders,), "log_weight": ()}

    def _log_prob(self, x: Tensor) -> Tensor:
        """log p(x) in each order, (batch, orders)."""
        flat = x.flatten(1)
        return self.likelihood.log_prob(flat.unsqueeze(1), at_least_single(self.network(self._scaled(flat))))

    def _draw(self, start: Tensor, kept: Tensor, pixel: Tensor, order: Tensor) -> Tensor:
        noise = pixel.flatten(1, len(self.shape))

        def draw(x: Tensor, part: Tensor, memory: Tensor) -> ancestral.Part:
            parameters, chosen, memory = self.network.part(self._scaled(x), part, memory)
            return self.likelihood.draw(parameters, noise), chosen & ~kept, memory

        drawn = ancestral.sample(draw, self.network.parts, start, self.network.remember(order))
        return drawn.unflatten(1, self.shape)

    def _scaled(self, x: Tensor) -> Tensor:
        return (x - self.center) / self.spread
