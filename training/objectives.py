"""What a VAE maximises: bounds of log p(x) from codes drawn from the posterior, and the losses that raise them."""

import math
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from training.distributions import gaussian_kl, normal_log_prob


class Draw(NamedTuple):
    """Codes z (batch, samples, latent) drawn from q(z | x), and what they are worth in nats, each (batch, samples).

    `mean` and `log_variance` are those of q, (batch, 1, latent). `kl` is analytic where the prior is a standard normal.
    """

    mean: Tensor
    log_variance: Tensor
    z: Tensor
    reconstruction: Tensor
    log_prior: Tensor
    log_posterior: Tensor
    kl: Tensor

    @property
    def log_weight(self) -> Tensor:
        """log p(x, z) - log q(z | x): its exponential is an unbiased estimate of p(x)."""
        return self.reconstruction + self.log_prior - self.log_posterior


class Objective(NamedTuple):
    """`bound(draw, beta)` in nats, (batch,); `loss(draw, beta, free_bits)`, a scalar whose gradient raises it."""

    bound: Callable[[Draw, float], Tensor]
    loss: Callable[[Draw, float, float], Tensor]


def elbo(draw: Draw, beta: float = 1.0) -> Tensor:
    """Reconstruction less beta times KL (Kingma and Welling 2014, eq. 3; Higgins et al. 2017)."""
    return (draw.reconstruction - beta * draw.kl).mean(dim=1)


def elbo_loss(draw: Draw, beta: float, free_bits: float) -> Tensor:
    """The negative ELBO; the KL of each dimension, as a mean over the batch, counts no less than `free_bits` nats.

    (Kingma et al. 2016, with every dimension a group of its own.)
    """
    if not free_bits:
        return -elbo(draw, beta).mean()
    kl = gaussian_kl(draw.mean, draw.log_variance).mean(dim=(0, 1)).clamp(min=free_bits).sum()
    return beta * kl - draw.reconstruction.mean()


def importance_weighted_bound(draw: Draw, beta: float = 1.0) -> Tensor:
    """log 1/K sum_k exp(log_weight_k) (Burda et al. 2016, eq. 8), q and prior weighted by beta while it warms up."""
    log_weight = draw.reconstruction + beta * (draw.log_prior - draw.log_posterior)
    return log_weight.logsumexp(dim=1) - math.log(log_weight.shape[1])


def doubly_reparameterized_loss(draw: Draw, beta: float, free_bits: float) -> Tensor:
    """Raises the importance weighted bound without the noise in the encoder's gradient that grows with K.

    For decoder and prior the gradient is the bound's own; what flows through z is weighted by the squares of the
    normalized weights, and q's parameters are held fixed in log q itself (Tucker et al. 2019); below beta = 1 the
    gradient of log q that this stands in for counts beta times as much. The value means nothing.
    """
    log_posterior = normal_log_prob(draw.z, draw.mean.detach(), draw.log_variance.detach())
    log_weight = draw.reconstruction + beta * (draw.log_prior - log_posterior)
    weight = log_weight.detach().softmax(dim=1)
    if draw.z.requires_grad:
        draw.z.register_hook(lambda gradient: (1 - beta + beta * weight).unsqueeze(-1) * gradient)
    return -(weight * log_weight).sum(dim=1).mean()


OBJECTIVES = {
    "elbo": Objective(elbo, elbo_loss),
    "iwae": Objective(importance_weighted_bound, doubly_reparameterized_loss),
}
