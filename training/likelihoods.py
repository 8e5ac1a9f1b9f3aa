"""Likelihoods of x given the decoder's parameters; noise is always an argument.

Each takes x flattened to (..., D) with its parameters and gives log-probabilities in nats, summed over D.
"""

import math
from typing import ClassVar

import torch
from torch import Tensor, nn

from models.manifest import Example
from models.noise import NoiseKind
from training.distributions import softplus, standard_normal_log_prob
from training.errors import RecipeError

_SMALLEST_LOG_SCALE = -7.0  # of a Gaussian, in units of the data's spread
_SMALLEST_SCALE = 0.25  # of a discretized logistic, in levels


class Likelihood(nn.Module):
    """p(x | parameters); `parameters` says how many real ones a dimension takes, their blocks one behind the other."""

    support: ClassVar[str]
    noise: ClassVar[NoiseKind]
    parameters: ClassVar[int] = 1

    def __init__(self, example: Example, dimensions: int) -> None:
        super().__init__()
        if example.support != self.support:
            raise RecipeError(
                f"the likelihood {_NAMES[type(self)]} is for {self.support} data, not {example.support}: "
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


class DiscretizedLogistic(Likelihood):
    """x among the levels, the nearest to a logistic variable with a location and a scale (Salimans et al. 2017).

    The lowest and the highest level take all that lies beyond them.
    """

    support = "levels"
    noise: ClassVar[NoiseKind] = "logistic"
    parameters = 2

    def __init__(self, example: Example, dimensions: int) -> None:
        super().__init__(example, dimensions)
        assert example.range is not None  # the manifest's Example gives every level set a range
        self.low, self.high = example.range

    def log_prob(self, x: Tensor, parameters: Tensor) -> Tensor:
        """log(sigmoid(a) - sigmoid(b)) = log sigmoid(a) + log sigmoid(-b) + log(1 - exp(b - a)), b - a = -1 / scale."""
        location, scale = self._location_and_scale(parameters)
        above, below = x < self.high, x > self.low
        width = 1 / scale
        log_prob = (width / 2).tanh().log() + softplus(-width)  # log(1 - exp(-width)), also where width is small
        log_prob = torch.where(above & below, log_prob, 0.0)
        log_prob = log_prob - torch.where(above, softplus((location - x - 0.5) * width), 0.0)
        return (log_prob - torch.where(below, softplus((x - 0.5 - location) * width), 0.0)).sum(-1)

    def mean(self, parameters: Tensor) -> Tensor:
        """The sum of P(x >= level) over the levels, as the integral through their midpoints: right to 0.06 levels."""
        location, scale = self._location_and_scale(parameters)
        rise = softplus((location - self.low) / scale) - softplus((location - self.high) / scale)
        return (self.low + scale * rise).clamp(self.low, self.high)

    def draw(self, parameters: Tensor, noise: Tensor) -> Tensor:
        location, scale = self._location_and_scale(parameters)
        return (location + scale * noise).round().clamp(self.low, self.high)

    def _location_and_scale(self, parameters: Tensor) -> tuple[Tensor, Tensor]:
        """In levels; the scale is no less than a quarter of one, where the draw is all but certain."""
        location, scale = parameters.chunk(2, dim=-1)
        span = self.high - self.low
        return self.low + span * (location + 1) / 2, _SMALLEST_SCALE + span / 16 * softplus(scale)


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


LIKELIHOODS: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "binomial": Binomial,
    "discretized_logistic": DiscretizedLogistic,
    "gaussian": Gaussian,
}
_NAMES = {kind: name for name, kind in LIKELIHOODS.items()}
