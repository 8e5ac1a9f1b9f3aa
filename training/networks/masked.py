"""Masked fully connected networks: the masked autoencoder for distribution estimation (MADE; Germain et al. 2015)."""

from itertools import pairwise
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from models.fields import Frozen
from training.networks.mlp import ACTIVATIONS, Activation

Size = Annotated[int, Field(ge=1)]


class Masked(Frozen):
    """The hidden layers, and in how many orders the dimensions are gone through; a mixture of them where several.

    A single order is that of the data; several are random ones, each followed by its reverse. A `residual` layer adds
    its input where the widths agree.
    """

    widths: Annotated[tuple[Size, ...], Field(min_length=1)]
    orders: Size = 1
    activation: Activation = "relu"
    residual: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


class MADE(nn.Module):
    """x (batch, D) to `parameters` numbers a dimension, of which each depends only on dimensions before its own.

    The orders share the weights; each has masks and biases of its own. The masks of an order let through what those of
    its reverse do not, so that the two have no weight in common. All dimensions are one part.
    """

    parts = 1

    def __init__(self, options: Masked, dimensions: int, parameters: int) -> None:
        super().__init__()
        self.orders, self.residual = options.orders, options.residual
        if options.orders == 1:
            ranks = torch.arange(dimensions).unsqueeze(0)
        else:
            ranks = torch.stack([_order(number, dimensions) for number in range(options.orders)])
        degrees = [_degrees(width, dimensions, options.orders) for width in options.widths]
        self.first = _MaskedLinear(ranks, degrees[0])
        self.hidden = nn.ModuleList(_MaskedLinear(before, after) for before, after in pairwise(degrees))
        self.last = _MaskedLinear(degrees[-1] + 1, ranks.repeat(1, parameters))
        self.activation = ACTIVATIONS[options.activation]()
        self.dropout = nn.Dropout(options.dropout)

    def forward(self, x: Tensor) -> Tensor:
        """The parameters in each order, (batch, orders, parameters * D)."""
        hidden = self.dropout(self.activation(self.first(x.unsqueeze(0))))
        for layer in self.hidden:
            change = self.dropout(self.activation(layer(hidden)))
            hidden = hidden + change if self.residual and hidden.shape == change.shape else change
        return self.last(hidden).transpose(0, 1)

    def remember(self, order: Tensor) -> Tensor:
        """What `part` knows: which order each row goes through, (batch, orders) of 0 and 1."""
        return order

    def part(self, x: Tensor, number: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """The parameters in each row's order, where they hold: everywhere, and what was known, as before."""
        parameters = (self.forward(x) * memory.unsqueeze(2)).sum(1)
        return parameters, torch.ones_like(x, dtype=torch.bool), memory.clone()


class _MaskedLinear(nn.Module):
    """A linear layer for each order, of one weight: a unit sees those whose degree is not above its own.

    Degrees are (orders, units); what passes is (orders, batch, units), or (1, batch, units) before the first layer.
    """

    def __init__(self, before: Tensor, after: Tensor) -> None:
        super().__init__()
        layer = nn.Linear(before.shape[1], after.shape[1])
        self.weight = layer.weight
        self.bias = nn.Parameter(layer.bias.detach().repeat(len(before)))  # of one axis: no matrix that decays
        self.before: Tensor
        self.after: Tensor
        self.register_buffer("before", before.clone(), persistent=False)
        self.register_buffer("after", after.clone(), persistent=False)

    def forward(self, units: Tensor) -> Tensor:
        seen = self.before.unsqueeze(2) <= self.after.unsqueeze(1)
        weights = torch.where(seen, self.weight.T, 0.0)
        units = units.expand(len(weights), -1, -1)
        # one by one: ONNX Runtime's product of stacks of matrices gives a row other bits alone than among others
        summed = torch.stack([given @ weight for given, weight in zip(units, weights, strict=True)])
        return summed + self.bias.view(len(weights), 1, -1)


def _order(number: int, dimensions: int) -> Tensor:
    """The place of each dimension in one of several orders, (D,)."""
    places = torch.randperm(dimensions, generator=torch.Generator().manual_seed(number // 2))
    return dimensions - 1 - places if number % 2 else places


def _degrees(width: int, dimensions: int, orders: int) -> Tensor:
    """For each unit, up to which place of each order it may see, (orders, width).

    Evenly from the first place to the last but one; in a reverse order the other way round.
    """
    last = max(0, dimensions - 2)
    degrees = torch.linspace(0, last, width).round().long()
    return torch.stack([last - degrees if number % 2 else degrees for number in range(orders)])
