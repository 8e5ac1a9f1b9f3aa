"""Convolutional residual networks between images and vectors."""

import math
from itertools import pairwise
from typing import Annotated, Any

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from models.fields import Frozen
from training.networks.mlp import ACTIVATIONS, Activation

Shape = tuple[int, ...]

_SMALL = 0.3
_CHANNELS_LAST: Any = {"memory_format": torch.channels_last}  # what the CPU's convolutions are fastest with


class Convolutional(Frozen):
    """`channels` at each halving of the image, and how many residual `blocks` there are at it (He et al. 2016)."""

    channels: Annotated[tuple[Annotated[int, Field(ge=1)], ...], Field(min_length=1)]
    blocks: tuple[Annotated[int, Field(ge=0)], ...]
    activation: Activation = "silu"
    input_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0

    @model_validator(mode="after")
    def _has_blocks_for_each(self) -> "Convolutional":
        if len(self.blocks) != len(self.channels):
            raise ValueError("channels and blocks are of one length, a number of each for every halving of the image")
        return self


class ConvolutionalEncoder(nn.Module):
    """An image (batch, [colours *] height * width) with a condition behind it to `outputs` numbers."""

    def __init__(self, options: Convolutional, shape: Shape, condition: int, outputs: int) -> None:
        super().__init__()
        self.planes = _planes(shape)
        self.input_dropout = nn.Dropout(options.input_dropout)
        layers: list[nn.Module] = []
        for (before, after), blocks in zip(pairwise((self.planes[0], *options.channels)), options.blocks, strict=True):
            layers += [nn.Conv2d(before, after, 3, stride=2, padding=1), *_blocks(after, blocks, options)]
        self.layers = nn.Sequential(*layers, ACTIVATIONS[options.activation](), nn.Flatten()).to(**_CHANNELS_LAST)
        self.head = nn.Linear(options.channels[-1] * math.prod(_halved(shape, options)[-1]) + condition, outputs)
        _scale(self)

    def forward(self, x: Tensor) -> Tensor:
        image, condition = x.tensor_split([math.prod(self.planes)], dim=-1)
        return self.head(torch.cat([self.features(image), condition], dim=-1))

    def features(self, image: Tensor) -> Tensor:
        """What the head is given of an image, without the condition: (batch, features)."""
        return self.layers(self.input_dropout(image).view(-1, *self.planes))


class ConvolutionalDecoder(nn.Module):
    """Vectors (..., inputs) to `parameters` images each, flat, one behind the other."""

    def __init__(self, options: Convolutional, inputs: int, shape: Shape, parameters: int) -> None:
        super().__init__()
        activation = ACTIVATIONS[options.activation]
        colours, *size = _planes(shape)
        *sizes, self.smallest = (tuple(size), *_halved(shape, options))
        self.head = nn.Linear(inputs, options.channels[-1] * math.prod(self.smallest))
        channels = reversed(options.channels)
        becoming = (*reversed(options.channels[:-1]), parameters * colours)
        stages = zip(channels, becoming, reversed(options.blocks), reversed(sizes), strict=True)
        self.stages = nn.ModuleList(
            nn.Sequential(*_blocks(before, blocks, options), activation(), _Doubled(before, after, size))
            for before, after, blocks, size in stages
        ).to(**_CHANNELS_LAST)
        _scale(self)

    def forward(self, z: Tensor) -> Tensor:
        image = self.head(z.flatten(0, -2)).unflatten(-1, (-1, *self.smallest))
        for stage in self.stages:
            image = stage(image.contiguous(**_CHANNELS_LAST))
        return image.flatten(1).unflatten(0, z.shape[:-1])


class _Doubled(nn.Module):
    """Twice as high and wide, cut to a size: a convolution makes the four pixels of each (Shi et al. 2016)."""

    def __init__(self, before: int, after: int, size: Shape) -> None:
        super().__init__()
        self.size = size
        self.convolution = nn.Conv2d(before, 4 * after, 3, padding=1)

    def forward(self, image: Tensor) -> Tensor:
        height, width = self.size
        return functional.pixel_shuffle(self.convolution(image), 2)[..., :height, :width]


class _Block(nn.Module):
    """x plus what two convolutions make of it."""

    def __init__(self, channels: int, options: Convolutional) -> None:
        super().__init__()
        activation = ACTIVATIONS[options.activation]
        self.change = nn.Sequential(
            activation(),
            nn.Conv2d(channels, channels, 3, padding=1),
            activation(),
            nn.Dropout(options.dropout),
            nn.Conv2d(channels, channels, 3, padding=1),
        )

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


def _planes(shape: Shape) -> Shape:
    """(colours, height, width); a grey image has one of the former."""
    return (1, *shape)[-3:]


def _blocks(channels: int, blocks: int, options: Convolutional) -> list[nn.Module]:
    return [_Block(channels, options) for _ in range(blocks)]


def _scale(network: nn.Module) -> None:
    """Starting weights that keep the size of what passes (He et al. 2015); what a block adds begins small."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
            nn.init.zeros_(layer.bias)
    for layer in network.modules():
        if isinstance(layer, _Block):
            layer.change[-1].weight.data *= _SMALL


def _halved(shape: Shape, options: Convolutional) -> list[Shape]:
    """The image's size after each stage."""
    sizes = [_planes(shape)[1:]]
    for _ in options.channels:
        sizes.append(tuple(-(-length // 2) for length in sizes[-1]))
    return sizes[1:]
