"""Densities and divergences of the normal distribution, in nats."""

import math

import torch
from torch import Tensor
from torch.nn import functional

LOG_2PI = math.log(2 * math.pi)


def gaussian_kl(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(N(mean, exp(log_variance)) || N(0, 1)) of each dimension, in nats, in closed form.

    -1/2 (1 + log sigma^2 - mu^2 - sigma^2) (Kingma and Welling 2014, appendix B).
    """
    return -0.5 * (1 + log_variance - mean.square() - log_variance.exp())


def standard_normal_log_prob(z: Tensor) -> Tensor:
    """log N(z; 0, I) in nats, summed over the last axis."""
    return -0.5 * (z.square() + LOG_2PI).sum(-1)


def normal_log_prob(z: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """log N(z; mean, exp(log_variance)) in nats, summed over the last axis."""
    return standard_normal_log_prob((z - mean) * (-0.5 * log_variance).exp()) - 0.5 * log_variance.sum(-1)


def reparameterize(mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
    """z = mean + sigma * epsilon, distributed as N(mean, sigma^2) (Kingma and Welling 2014, section 2.4)."""
    return mean + (0.5 * log_variance).exp() * epsilon


def softplus(a: Tensor) -> Tensor:
    """log(1 + exp(a)); written out in a graph, for ONNX Runtime's own Softplus takes four times as long."""
    if not torch.compiler.is_exporting():
        return functional.softplus(a)
    return 0.5 * (a + a.abs()) + (1 + (-a.abs()).exp()).log()
