"""Likelihoods of x given the decoder's parameters, and the Gaussian KL; noise is always an argument.

Each takes parameters and x flattened to (..., D) and gives log-probabilities in nats, summed over D.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from models.manifest import Example
from models.noise import NoiseKind
from training.errors import RecipeError

LOG_2PI = math.log(2 * math.pi)

_SMALLEST_LOG_SCALE = -7.0


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of each dimension, in nats, in closed form.

    -1/2 (1 + log sigma^2 - mu^2 - sigma^2) (Kingma and Welling 2014, appendix B).
    """
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp())


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I) in nats, summed over the last axis."""
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def softplus(a: Tensor) -> Tensor:
    """log(1 + exp(a)); written out because ONNX Runtime's own Softplus takes four times as long."""
    return 0.5 * (a + a.abs()) + (1 + (-a.abs()).exp()).log()


class Likelihood(nn.Module):
    """p(x | parameters), one real parameter a dimension."""

    support: ClassVar[str]
    noise: ClassVar[NoiseKind]

    def __init__(self, example: Example, dimensions: int) -> None:
        super().__init__()
        if example.support != self.support:
            raise RecipeError(
                f"the likelihood {type(self).__name__.lower()} is for {self.support} data, not {example.support}: "
                'take another, or say how a file\'s values are meant, such as support = "real" under [data]'
            )

    def noise_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the noise that `draw` takes for an x of `shape`."""
        return shape

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        raise NotImplementedError

    def mean(self, parameters: Tensor) -> Tensor:
        raise NotImplementedError

    def draw(self, parameters: Tensor, noise: Tensor) -> Tensor:
        raise NotImplementedError


class Bernoulli(Likelihood):
    """x in {0, 1} with the parameters as logits."""

    support = "binary"
    noise: ClassVar[NoiseKind] = "logistic"

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        return (x * parameters - softplus(parameters)).sum(-1)

    def mean(self, parameters: Tensor) -> Tensor:
        return parameters.sigmoid()

    def draw(self, parameters: Tensor, noise: Tensor) -> Tensor:
        return (parameters + noise > 0).to(parameters.dtype)


class Binomial(Likelihood):
    """x in {0, ..., n}, n trials with one success logit; n is the upper end of the data's range."""

    support = "levels"
    noise: ClassVar[NoiseKind] = "gumbel"

    def __init__(self, example: Example, dimensions: int) -> None:
        super().__init__(example, dimensions)
        assert example.range is not None  # the manifest's Example gives every level set a range
        if example.range[0] != 0:
            raise RecipeError(f"the likelihood binomial is for levels from 0, these start at {example.range[0]:g}")
        self.trials = int(example.range[1])
        level = torch.arange(self.trials + 1, dtype=torch.float64)
        choose = math.lgamma(self.trials + 1) - torch.lgamma(level + 1) - torch.lgamma(self.trials - level + 1)
        self.log_choose: Tensor
        self.register_buffer("log_choose", choose.float(), persistent=False)

    def noise_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        return (*shape, self.trials + 1)

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        return (self.log_choose[x.long()] + x * parameters - self.trials * softplus(parameters)).sum(-1)

    def mean(self, parameters: Tensor) -> Tensor:
        return self.trials * parameters.sigmoid()

    def draw(self, parameters: Tensor, noise: Tensor) -> Tensor:
        """The Gumbel-max draw over the levels; noise is (..., D, n + 1)."""
        level = torch.arange(self.trials + 1, dtype=parameters.dtype, device=parameters.device)
        log_prob = self.log_choose + level * parameters.unsqueeze(-1)
        return (log_prob + noise).argmax(-1).to(parameters.dtype)


class Gaussian(Likelihood):
    """Real x around the parameters, with one learned standard deviation a dimension (Rybkin et al. 2021).

    Parameters and deviation are in units of the training data's `center` and `spread`.
    """

    support = "real"
    noise: ClassVar[NoiseKind] = "normal"

    def __init__(self, example: Example, dimensions: int) -> None:
        super().__init__(example, dimensions)
        self.log_scale = nn.Parameter(torch.zeros(dimensions))
        self.center: Tensor
        self.spread: Tensor
        self.register_buffer("center", torch.zeros(dimensions))
        self.register_buffer("spread", torch.ones(dimensions))

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        log_scale = self._log_scale()
        return standard_normal_log_prob((x - self.mean(parameters)) * (-log_scale).exp()) - log_scale.sum()

    def mean(self, parameters: Tensor) -> Tensor:
        return self.center + self.spread * parameters

    def draw(self, parameters: Tensor, noise: Tensor) -> Tensor:
        return self.mean(parameters) + self._log_scale().exp() * noise

    def _log_scale(self) -> Tensor:
        """In the units of x; bounded below, for the density of a constant dimension has no maximum."""
        return self.log_scale.clamp(min=_SMALLEST_LOG_SCALE) + self.spread.log()


LIKELIHOODS: dict[str, type[Likelihood]] = {"bernoulli": Bernoulli, "binomial": Binomial, "gaussian": Gaussian}
