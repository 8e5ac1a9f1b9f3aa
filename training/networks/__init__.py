"""The networks that the families are built from; a recipe with `channels` asks for a convolutional one."""

import math
from typing import Annotated, Any

import torch
from pydantic import Discriminator, Tag
from torch import Tensor, nn

from training.errors import RecipeError
from training.networks.convolutional import Convolutional, ConvolutionalDecoder, ConvolutionalEncoder
from training.networks.mlp import Hidden, mlp


def _kind(network: Any) -> str:
    given = network if isinstance(network, dict) else getattr(network, "model_fields_set", ())
    return "convolutional" if "channels" in given else "mlp"


Network = Annotated[
    Annotated[Hidden, Tag("mlp")] | Annotated[Convolutional, Tag("convolutional")], Discriminator(_kind)
]


def encoder_network(network: Hidden | Convolutional, shape: tuple[int, ...], condition: int, outputs: int) -> nn.Module:
    """x of `shape`, flat, with a condition behind it, to `outputs` numbers."""
    if isinstance(network, Convolutional):
        _refuse_vectors(shape)
        return ConvolutionalEncoder(network, shape, condition, outputs)
    return mlp(math.prod(shape) + condition, network, outputs)


def decoder_network(network: Hidden | Convolutional, inputs: int, shape: tuple[int, ...], parameters: int) -> nn.Module:
    """A code with a condition behind it to so many flat blocks of `shape`, one behind the other."""
    if isinstance(network, Convolutional):
        _refuse_vectors(shape)
        return ConvolutionalDecoder(network, inputs, shape, parameters)
    return mlp(inputs, network, parameters * math.prod(shape))


def beside(x: Tensor, condition: Tensor | None) -> Tensor:
    """x (batch, [samples,] n) with the condition (batch, c) behind each; x alone where there is none."""
    if condition is None:
        return x
    if x.dim() > condition.dim():
        condition = condition.unsqueeze(1).expand(-1, x.shape[1], -1)
    return torch.cat([x, condition], dim=-1)


def at_least_single(numbers: Tensor) -> Tensor:
    """What a network gives, out of mixed precision; double stays double."""
    return numbers.to(torch.promote_types(numbers.dtype, torch.float32))


def _refuse_vectors(shape: tuple[int, ...]) -> None:
    if len(shape) not in (2, 3):
        raise RecipeError(f"a network with channels is for images, not for data of shape {list(shape)}; take widths")
