"""Priors p(z) over a code: the standard normal, and a learned one that transforms it."""

from contextlib import AbstractContextManager, nullcontext
from typing import Annotated, Protocol

import torch
from pydantic import Field
from torch import Tensor, nn

from models.fields import Frozen
from training.distributions import standard_normal_log_prob
from training.networks import Hidden, beside, mlp


class RealNVPOptions(Frozen):
    """How many coupling layers, and the hidden layers of the network in each."""

    layers: Annotated[int, Field(ge=2)] = 8
    network: Hidden = Hidden(widths=(128,), activation="silu")


class Prior(Protocol):
    """p(z | condition) for codes (batch, [samples,] latent) and conditions (batch, c)."""

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        """In nats, (batch, [samples])."""

    def transform(self, base: Tensor, condition: Tensor | None) -> Tensor:
        """A draw z from standard normal noise of its shape."""


class StandardNormal(nn.Module):
    """N(0, I), whatever the condition."""

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        return standard_normal_log_prob(z)

    def transform(self, base: Tensor, condition: Tensor | None) -> Tensor:
        return base


class RealNVP(nn.Module):
    """Affine coupling layers between z and a standard normal base (Dinh et al. 2017, section 3)."""

    def __init__(self, options: RealNVPOptions, latent: int, condition: int) -> None:
        super().__init__()
        masks = _masks(options.layers, latent)
        self.couplings = nn.ModuleList(_Coupling(mask, options.network, condition) for mask in masks)

    def log_prob(self, z: Tensor, condition: Tensor | None) -> Tensor:
        log_determinant = torch.zeros_like(z[..., 0])
        with _in_full_precision(z):
            for coupling in self.couplings:
                z, log_scale = coupling.normalize(z, condition)
                log_determinant = log_determinant + log_scale
        return standard_normal_log_prob(z) + log_determinant

    def transform(self, base: Tensor, condition: Tensor | None) -> Tensor:
        for coupling in reversed(self.couplings):
            base = coupling.generate(base, condition)
        return base


class _Coupling(nn.Module):
    """Keeps z where the mask is 1, scales and shifts the rest by what a network makes of that; at first not at all."""

    def __init__(self, mask: Tensor, hidden: Hidden, condition: int) -> None:
        super().__init__()
        self.mask: Tensor
        self.register_buffer("mask", mask)
        self.network = mlp(len(mask) + condition, hidden, 2 * len(mask))
        for parameter in self.network[-1].parameters():
            nn.init.zeros_(parameter)

    def normalize(self, z: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """Towards the base, with the log-determinant."""
        log_scale, shift = self._affine(z, condition)
        return z * log_scale.exp() + shift, log_scale.sum(-1)

    def generate(self, base: Tensor, condition: Tensor | None) -> Tensor:
        log_scale, shift = self._affine(base, condition)
        return (base - shift) * (-log_scale).exp()

    def _affine(self, z: Tensor, condition: Tensor | None) -> tuple[Tensor, Tensor]:
        """The log scale, within -2 and 2, and the shift; both 0 where z is kept."""
        log_scale, shift = self.network(beside(z * self.mask, condition)).chunk(2, dim=-1)
        return (1 - self.mask) * 2 * (log_scale / 2).tanh(), (1 - self.mask) * shift


def _in_full_precision(z: Tensor) -> AbstractContextManager[None]:
    """Layer upon layer of scales would add up the rounding of mixed precision."""
    mixed = torch.is_autocast_enabled(z.device.type)
    return torch.autocast(z.device.type, enabled=False) if mixed else nullcontext()


def _masks(layers: int, latent: int) -> list[Tensor]:
    """Random halves of the dimensions, each followed by its complement."""
    generator = torch.Generator().manual_seed(0)
    masks: list[Tensor] = []
    while len(masks) < layers:
        half = (torch.randperm(latent, generator=generator) < latent // 2).float()
        masks += [half, 1 - half]
    return masks[:layers]
