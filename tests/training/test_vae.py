"""The VAE's bound is the one of the paper, whatever was minimised in training."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, LowRankMultivariateNormal, Normal

from models import bounds
from tests.training.conftest import EXAMPLES, build, examples

LATENT = 2


def epsilon(rows, samples, seed=0):
    return torch.randn(rows, samples, LATENT, generator=torch.Generator().manual_seed(seed))


def standard_normal(z):
    return Independent(Normal(0.0, 1.0).expand(z.shape), 1)


@torch.no_grad()
def test_score_is_the_joint_less_the_posterior():
    vae = build("vae", "bernoulli").eval()
    x = torch.from_numpy(examples("bernoulli", rows=6)).float()
    noise = epsilon(6, 4)
    code = vae.encode(x, noise[:, 0])
    posterior = Independent(Normal(code["mean"], (0.5 * code["log_variance"]).exp()).expand((4, 6, LATENT)), 1)
    z = (code["mean"] + (0.5 * code["log_variance"]).exp() * noise.transpose(0, 1)).contiguous()
    decoder = Independent(Bernoulli(logits=vae.decoder.network(z)), 1)
    reconstruction = decoder.log_prob(x.flatten(1))
    expected = {
        "log_weight": reconstruction + standard_normal(z).log_prob(z) - posterior.log_prob(z),
        "reconstruction": reconstruction,
        "kl": torch.distributions.kl_divergence(posterior, standard_normal(z)),
    }
    expected["elbo"] = expected["reconstruction"] - expected["kl"]
    scored = vae.score(x, noise)
    assert set(scored) == set(expected)
    for name, value in expected.items():
        torch.testing.assert_close(scored[name], value.T, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(code["kl_per_dimension"].sum(-1), expected["kl"][0])


@torch.no_grad()
@pytest.mark.parametrize("likelihood", EXAMPLES)
def test_log_weight_and_elbo_have_the_same_expectation(likelihood):
    vae = build("vae", likelihood).eval()
    x = torch.from_numpy(examples(likelihood, rows=20)).float()
    scored = {name: bounds.mean(value.numpy()) for name, value in vae.score(x, epsilon(20, 2000)).items()}
    log_weight, elbo = scored["log_weight"], scored["elbo"]
    error = (log_weight.std_error**2 + elbo.std_error**2) ** 0.5
    assert (abs(log_weight.value - elbo.value) < 4 * error).all()
    assert (elbo.std_error < log_weight.std_error).mean() > 0.5


@torch.no_grad()
@pytest.mark.parametrize("likelihood", EXAMPLES)
def test_bound_rises_with_the_number_of_samples(likelihood):
    vae = build("vae", likelihood).eval()
    x = torch.from_numpy(examples(likelihood)).float()
    log_weight = vae.score(x, epsilon(len(x), 1024))["log_weight"].numpy()
    # The mean over disjoint groups of K samples estimates the bound at K, all from the same samples.
    means = [
        bounds.importance_weighted_bound(log_weight.reshape(-1, size)).value.mean() for size in (1, 4, 32, 256, 1024)
    ]
    assert means == sorted(means)
    assert means[-1] > means[0]


def linear_gaussian(gain=1.5):
    """A VAE with linear halves whose posterior is the true one, and its p(x) = N(bias, I + gain^2 Q Q^T)."""
    vae = build("vae", "gaussian", encoder={"widths": []}, decoder={"widths": []}).eval()
    encoder, decoder = vae.encoder.network[-1], vae.decoder.network[-1]
    directions, _ = torch.linalg.qr(torch.randn(7, LATENT, generator=torch.Generator().manual_seed(1)))
    bias = torch.linspace(-1, 1, 7)
    decoder.weight.data, decoder.bias.data = gain * directions, bias
    mean = directions.T * gain / (1 + gain**2)
    encoder.weight.data = torch.cat([mean, torch.zeros(LATENT, 7)])
    encoder.bias.data = torch.cat([-mean @ bias, torch.full((LATENT,), -math.log1p(gain**2))])
    return vae, LowRankMultivariateNormal(bias, gain * directions, torch.ones(7))


@torch.no_grad()
def test_exact_posterior_makes_every_sample_log_p_of_x():
    vae, marginal = linear_gaussian()
    x = torch.from_numpy(examples("gaussian", rows=10))
    log_weight = vae.score(x, epsilon(10, 50))["log_weight"]
    torch.testing.assert_close(log_weight, marginal.log_prob(x)[:, None].expand(-1, 50), rtol=0, atol=1e-4)


@torch.no_grad()
def test_bounds_stay_below_log_p_of_x_where_the_posterior_is_off():
    vae, marginal = linear_gaussian()
    vae.encoder.network[-1].bias.data += 0.3
    x = torch.from_numpy(examples("gaussian", rows=10))
    scored = {name: value.numpy() for name, value in vae.score(x, epsilon(10, 5000)).items()}
    exact = marginal.log_prob(x).double().numpy()
    elbo, bound = bounds.mean(scored["elbo"]), bounds.importance_weighted_bound(scored["log_weight"])
    assert (elbo.value + 4 * elbo.std_error < exact).all()
    assert (abs(bound.value - exact) < 4 * bound.std_error).all()
