"""A network over images in which a pixel sees all rows above its own, and in its row what is left of it.

The rows are the tokens of a causal transformer (Vaswani et al. 2017). What that makes of the rows above goes to each
pixel, beside a window of near pixels; gated causal convolutions (van den Oord et al. 2016) run along the row.
"""

import math
from typing import Annotated, Any

import torch
from pydantic import Field, model_validator
from torch import Tensor, nn
from torch.nn import functional

from models.fields import Frozen

Size = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]

_CHANNELS_LAST: Any = {"memory_format": torch.channels_last}  # what the CPU's convolutions are fastest with


class Rows(Frozen):
    """Each row a token of `width` numbers in `layers` of a transformer, each pixel `channels` numbers along its row.

    A pixel's window, of `window` channels, reaches `above` rows up and `beside` columns to either side; a convolution
    of each of `dilations` looks so many pixels back.
    """

    width: Size = 128
    layers: Size = 4
    heads: Size = 4
    channels: Size = 24
    dilations: tuple[Size, ...] = (1, 2, 4, 8)
    above: Size = 6
    beside: Size = 6
    window: Size = 64
    dropout: Share = 0.1

    @model_validator(mode="after")
    def _heads_share_the_width(self) -> "Rows":
        if self.width % self.heads:
            raise ValueError(f"width is a multiple of heads; {self.width} is none of {self.heads}")
        return self


class RowNetwork(nn.Module):
    """Images (batch, height * columns) to `parameters` numbers a pixel; each row is a part."""

    orders = 1

    def __init__(self, options: Rows, shape: tuple[int, ...], parameters: int) -> None:
        super().__init__()
        self.height, self.columns = shape
        self.parts = self.height
        self.above = options.above
        width, channels = options.width, options.channels
        self.token = nn.Linear(self.columns, width)
        self.place = nn.Parameter(0.02 * torch.randn(self.height, width))
        self.layers = nn.ModuleList(_Layer(width, options.heads, options.dropout) for _ in range(options.layers))
        self.context = nn.Sequential(
            nn.LayerNorm(width), nn.Dropout(options.dropout), nn.Linear(width, self.columns * channels)
        )
        self.window = _Window(options)
        self.column = nn.Parameter(0.02 * torch.randn(self.columns, channels))
        self.along = nn.Sequential(*(_Along(channels, dilation) for dilation in options.dilations))
        self.head = nn.Sequential(
            nn.SiLU(), nn.Linear(channels, 2 * channels), nn.SiLU(), nn.Linear(2 * channels, parameters)
        )

    def forward(self, x: Tensor) -> Tensor:
        """The parameters of every pixel at once, (batch, 1, parameters * height * columns)."""
        padded = functional.pad(x.unflatten(1, (self.height, self.columns)), (0, 0, self.above, 0))
        tokens = self.token(padded[:, self.above - 1 : -1]) + self.place
        seen = torch.ones(self.height, self.height, dtype=torch.bool, device=x.device).tril()
        for layer in self.layers:
            tokens, _ = layer(tokens, seen)
        return self._pixels(tokens, padded).flatten(1).unsqueeze(1)

    def remember(self, order: Tensor) -> Tensor:
        """What `part` knows before the first: nothing; later the keys and values of each layer, for (batch, 1)."""
        return order.new_zeros(order.shape[0], len(self.layers), self.height, 2 * self.place.shape[1])

    def part(self, x: Tensor, number: Tensor, memory: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What `forward` computes, for one row of each image: `number` (batch,) says which, its rows above are done.

        Parameters that hold only where the second, (batch, height * columns), is true; the third is the memory then.
        """
        padded = functional.pad(x.unflatten(1, (self.height, self.columns)), (0, 0, self.above, 0))
        near = number.unsqueeze(1) + torch.arange(self.above + 1, device=x.device)
        padded = padded.gather(1, near.unsqueeze(2).expand(-1, -1, self.columns))
        tokens = self.token(padded[:, self.above - 1 : -1]) + self.place[number].unsqueeze(1)
        rows, number = torch.arange(self.height, device=x.device), number.unsqueeze(1)
        known = []
        for layer, before in zip(self.layers, memory.unbind(1), strict=True):
            tokens, key_value = layer(tokens, (rows <= number)[:, None, None], before, (rows == number).unsqueeze(2))
            known.append(key_value)
        parameters = self._pixels(tokens, padded).expand(-1, -1, self.height, -1).flatten(1)
        chosen = (rows == number).unsqueeze(2).expand(-1, -1, self.columns).flatten(1)
        return parameters, chosen, torch.stack(known, dim=1)

    def _pixels(self, tokens: Tensor, padded: Tensor) -> Tensor:
        """The parameters of rows, (batch, parameters, rows, columns), from their tokens and their pixels."""
        context = self.context(tokens).unflatten(2, (self.columns, -1))
        return self.head(self.along(context + self.window(padded) + self.column)).permute(0, 3, 1, 2)


class _Layer(nn.Module):
    """One layer of a transformer that normalizes first (Xiong et al. 2020), over tokens (batch, rows, width)."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(width)
        self.project = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        self.dropout = nn.Dropout(dropout)
        self.change = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 3 * width), nn.SiLU(), nn.Linear(3 * width, width)
        )

    def forward(
        self, tokens: Tensor, seen: Tensor, before: Tensor | None = None, at: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """The tokens, and the keys and values (batch, height, 2 * width); those `before` hold except `at` a row."""
        width = tokens.shape[2]
        query, key_value = self.project(self.norm(tokens)).split([width, 2 * width], dim=2)
        if before is not None and at is not None:
            key_value = torch.where(at, key_value, before)
        tokens = tokens + self.dropout(self.join(self._attend(query, *key_value.chunk(2, dim=2), seen)))
        return tokens + self.dropout(self.change(tokens)), key_value

    def _attend(self, query: Tensor, key: Tensor, value: Tensor, seen: Tensor) -> Tensor:
        query, key, value = (part.unflatten(2, (self.heads, -1)).transpose(1, 2) for part in (query, key, value))
        likeness = query @ key.transpose(2, 3) / math.sqrt(query.shape[3])
        weights = likeness.masked_fill(~seen, -torch.inf).softmax(dim=3)
        return (weights.to(value.dtype) @ value).transpose(1, 2).flatten(2)


class _Window(nn.Module):
    """A convolution over the pixels near each, itself and what is right of it in its row masked out."""

    def __init__(self, options: Rows) -> None:
        super().__init__()
        self.beside = options.beside
        reach = (options.above + 1, 2 * options.beside + 1)
        self.near = nn.Conv2d(1, options.window, reach)
        self.mask: Tensor
        self.register_buffer("mask", torch.ones(reach), persistent=False)
        self.mask[-1, options.beside :] = 0
        self.change = nn.Sequential(nn.SiLU(), nn.Linear(options.window, options.channels))

    def forward(self, padded: Tensor) -> Tensor:
        """Images (batch, above + rows, columns) to (batch, rows, columns, channels)."""
        image = functional.pad(padded.unsqueeze(1), (self.beside, self.beside)).to(**_CHANNELS_LAST)
        weight = (self.near.weight * self.mask).to(**_CHANNELS_LAST)
        return self.change(functional.conv2d(image, weight, self.near.bias).permute(0, 2, 3, 1))


class _Along(nn.Module):
    """A gated causal convolution of two taps along the row, added to what came."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.dilation = dilation
        self.taps = nn.Linear(2 * channels, 2 * channels)
        self.join = nn.Linear(channels, channels)

    def forward(self, pixels: Tensor) -> Tensor:
        active = functional.silu(pixels)
        behind = functional.pad(active, (0, 0, self.dilation, 0))[:, :, : -self.dilation]
        value, gate = self.taps(torch.cat([active, behind], dim=3)).chunk(2, dim=3)
        return pixels + self.join(value * gate.sigmoid())
