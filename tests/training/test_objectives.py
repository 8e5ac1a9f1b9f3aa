"""The importance weighted bound is the paper's, and its doubly reparameterized gradient the same with less noise."""

import math

import pytest
import torch

from tests.training.conftest import build, examples
from training.distributions import normal_log_prob, reparameterize
from training.objectives import Draw, doubly_reparameterized_loss, elbo, importance_weighted_bound

REPEATS, SAMPLES = 2000, 6


def drawn(reconstruction, log_prior=0.0, log_posterior=0.0):
    """Codes that are worth so much."""
    terms = torch.broadcast_tensors(*map(torch.as_tensor, (reconstruction, log_prior, log_posterior)))
    nothing = torch.zeros(*terms[0].shape, 1)
    return Draw(nothing[:, :1], nothing[:, :1], nothing, *terms, kl=terms[2] - terms[1])


def test_bound_of_equal_weights_is_the_weight():
    bound = importance_weighted_bound(drawn(torch.full((3, 8), -80.0), -2.0, 1.0))
    torch.testing.assert_close(bound, torch.full((3,), -83.0))


def test_bound_is_the_log_of_the_mean_weight():
    log_weight = torch.tensor([[math.log(1.0), math.log(2.0), math.log(6.0)]])
    assert importance_weighted_bound(drawn(log_weight)).item() == pytest.approx(math.log(3.0))


def test_elbo_is_the_reconstruction_less_the_weighted_kl():
    draw = drawn(torch.tensor([[-3.0, -5.0]]), log_prior=-1.0, log_posterior=1.0)
    assert elbo(draw).item() == -4 - 2
    assert elbo(draw, 0.5).item() == -4 - 1


def gradients(objective):
    """The gradient of every parameter at each of many draws, (repeats, numbers)."""
    module = build("vae", "bernoulli", objective="iwae", samples=SAMPLES)
    x = torch.from_numpy(examples("bernoulli", rows=8)).float()
    generator = torch.Generator().manual_seed(1)
    rows = {"encoder": [], "decoder": []}
    for _ in range(REPEATS):
        module.zero_grad()
        objective(module.draw(x, torch.randn(8, SAMPLES, 2, generator=generator), None)).backward()
        for half, gradient in rows.items():
            gradient.append(torch.cat([p.grad.flatten()[:50] for p in getattr(module, half).network.parameters()]))
    return {half: torch.stack(gradient) for half, gradient in rows.items()}


@pytest.mark.parametrize("beta", [1.0, 0.5, 0.1])
def test_gradient_is_that_of_the_bound_with_less_noise_in_the_encoder(beta):
    plain = gradients(lambda draw: -importance_weighted_bound(draw, beta).mean())
    doubly = gradients(lambda draw: doubly_reparameterized_loss(draw, beta, 0.0))
    torch.testing.assert_close(doubly["decoder"], plain["decoder"], rtol=1e-4, atol=1e-5)
    error = ((doubly["encoder"].var(dim=0) + plain["encoder"].var(dim=0)) / REPEATS).sqrt()
    apart = (doubly["encoder"].mean(dim=0) - plain["encoder"].mean(dim=0)).abs() / error.clamp(min=1e-12)
    assert apart.max() < 5
    assert doubly["encoder"].var(dim=0).sum() < (0.2 if beta == 1 else 1.0) * plain["encoder"].var(dim=0).sum()


def test_gradient_through_the_code_vanishes_where_the_posterior_is_exact():
    mean, log_variance = (torch.randn(5, 1, 2) for _ in range(2))
    z = reparameterize(mean, log_variance, torch.randn(5, 4, 2)).requires_grad_()
    posterior = normal_log_prob(z, mean, log_variance)
    zero = torch.zeros(5, 4)
    doubly_reparameterized_loss(
        Draw(mean, log_variance, z, posterior + 3.0, zero, posterior, zero), 1.0, 0.0
    ).backward()
    torch.testing.assert_close(z.grad, torch.zeros_like(z))
