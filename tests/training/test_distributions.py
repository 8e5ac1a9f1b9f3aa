"""Densities and divergences are those of torch.distributions."""

import math

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence

from training.distributions import (
    gaussian_kl,
    normal_log_prob,
    reparameterize,
    softplus,
    standard_normal_log_prob,
)


def moments(rows=50):
    return torch.randn(2, rows, 4, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def test_closed_form_of_the_kl():
    mean, log_variance = moments()
    expected = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(0.0, 1.0))
    torch.testing.assert_close(gaussian_kl(mean, log_variance), expected)


def test_standard_normal_log_prob_at_zero():
    assert standard_normal_log_prob(torch.zeros(3)).item() == pytest.approx(-1.5 * math.log(2 * math.pi))


def test_normal_log_prob_is_that_of_torch():
    mean, log_variance = moments()
    z = torch.linspace(-3, 3, 200, dtype=torch.float64).view(50, 4)
    expected = Independent(Normal(mean, (0.5 * log_variance).exp()), 1).log_prob(z)
    torch.testing.assert_close(normal_log_prob(z, mean, log_variance), expected)


def test_reparameterized_noise_has_its_mean_and_deviation():
    mean, log_variance = (part[:1] for part in moments())
    z = reparameterize(mean, log_variance, torch.randn(100_000, 4, dtype=torch.float64))
    deviation = (0.5 * log_variance).exp()
    assert ((z.mean(dim=0) - mean).abs() < 4 * deviation / 100_000**0.5).all()
    assert ((z.std(dim=0) / deviation - 1).abs() < 4 / (2 * 100_000) ** 0.5).all()


def test_softplus_and_its_gradient_are_those_of_torch():
    points = torch.tensor([-1e4, -100.0, -20.0, -1.0, 0.0, 1.0, 20.0, 100.0, 1e4])
    ours, theirs = (points.clone().requires_grad_() for _ in range(2))
    values = softplus(ours), torch.nn.functional.softplus(theirs)
    for value in values:
        value.sum().backward()
    torch.testing.assert_close(*values, rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-6, atol=1e-7)
