"""Networks that the families are built from."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field
from torch import nn

from models.manifest import Frozen

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
    """The hidden layers of one network: widths, activation, and the dropout of its input and of each layer."""

    widths: tuple[Annotated[int, Field(ge=1)], ...] = (512, 512)
    activation: Activation = "relu"
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


def mlp(inputs: int, hidden: Hidden, outputs: int) -> nn.Sequential:
    """A fully connected network on the last axis."""
    layers: list[nn.Module] = [nn.Dropout(hidden.input_dropout)] if hidden.input_dropout else []
    for fan_in, fan_out in pairwise((inputs, *hidden.widths)):
        layers += [nn.Linear(fan_in, fan_out), ACTIVATIONS[hidden.activation]()]
        layers += [nn.Dropout(hidden.dropout)] if hidden.dropout else []
    return nn.Sequential(*layers, nn.Linear(hidden.widths[-1] if hidden.widths else inputs, outputs))
