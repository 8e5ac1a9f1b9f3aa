"""Fully connected networks."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import Tensor, nn

from models.fields import Frozen

Activation = Literal["relu", "leaky_relu", "elu", "gelu", "silu", "tanh"]
ACTIVATIONS: dict[Activation, type[nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "gelu": nn.GELU,
    "silu": nn.SiLU,
    "tanh": nn.Tanh,
}


class Hidden(Frozen):
    """The hidden layers of one network: widths, activation, and the dropout of its input and of each layer.

    A `residual` layer adds its input where the widths agree (He et al. 2016).
    """

    widths: tuple[Annotated[int, Field(ge=1)], ...] = (512, 512)
    activation: Activation = "relu"
    residual: bool = False
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


def mlp(inputs: int, hidden: Hidden, outputs: int) -> nn.Sequential:
    """A fully connected network on the last axis."""
    widths = (inputs, *hidden.widths)
    layers = [_Layer(fan_in, fan_out, hidden) for fan_in, fan_out in pairwise(widths)]
    return nn.Sequential(nn.Dropout(hidden.input_dropout), *layers, nn.Linear(widths[-1], outputs))


class _Layer(nn.Module):
    def __init__(self, fan_in: int, fan_out: int, hidden: Hidden) -> None:
        super().__init__()
        self.linear = nn.Linear(fan_in, fan_out)
        self.activation = ACTIVATIONS[hidden.activation]()
        self.dropout = nn.Dropout(hidden.dropout)
        self.adds_input = hidden.residual and fan_in == fan_out

    def forward(self, x: Tensor) -> Tensor:
        change = self.dropout(self.activation(self.linear(x)))
        return x + change if self.adds_input else change
