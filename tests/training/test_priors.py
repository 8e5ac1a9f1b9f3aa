"""The learned prior is a density, its draws follow it, and it starts as the standard normal."""

import math

import pytest
import torch
from torch.distributions import MultivariateNormal

from training.distributions import standard_normal_log_prob
from training.networks import Hidden
from training.priors import RealNVP, RealNVPOptions, StandardNormal


def flow(latent=2, condition=0, layers=4):
    """A RealNVP whose couplings are far from the identity."""
    options = RealNVPOptions(layers=layers, network=Hidden(widths=(16,), activation="tanh"))
    torch.manual_seed(0)
    prior = RealNVP(options, latent, condition).double()
    for parameter in prior.parameters():
        parameter.data += 0.3 * torch.randn_like(parameter)
    return prior


def grid(reach=12.0, points=601):
    axis = torch.linspace(-reach, reach, points, dtype=torch.float64)
    return axis, torch.cartesian_prod(axis, axis)


@torch.no_grad()
@pytest.mark.parametrize("label", [None, 0, 1])
def test_density_integrates_to_one(label):
    axis, z = grid()
    condition = None if label is None else torch.eye(2, dtype=torch.float64)[label].expand(len(z), -1)
    density = flow(condition=0 if label is None else 2).log_prob(z, condition).exp().view(len(axis), len(axis))
    assert torch.trapezoid(torch.trapezoid(density, axis), axis).item() == pytest.approx(1, abs=1e-3)


@torch.no_grad()
def test_draws_have_the_moments_of_the_density():
    prior, rows = flow(), 100_000
    z = prior.transform(torch.randn(rows, 2, dtype=torch.float64), None)
    axis, points = grid()
    weight = prior.log_prob(points, None).exp() * (axis[1] - axis[0]) ** 2
    for power in (1, 2):
        expected = (weight[:, None] * points**power).sum(dim=0)
        assert ((z**power).mean(dim=0) - expected).abs().le(4 * (z**power).std(dim=0) / rows**0.5 + 1e-3).all()


@torch.no_grad()
@pytest.mark.parametrize("latent", [1, 2, 5])
def test_log_prob_undoes_the_transform(latent):
    prior = flow(latent, layers=5)
    base = torch.randn(20, latent, dtype=torch.float64)
    jacobian = torch.vmap(torch.func.jacrev(lambda row: prior.transform(row[None], None)[0]))(base)
    expected = standard_normal_log_prob(base) - jacobian.det().abs().log()
    torch.testing.assert_close(prior.log_prob(prior.transform(base, None), None), expected)


@torch.no_grad()
def test_every_dimension_is_transformed_from_two_layers_on():
    base = torch.randn(20, 6, dtype=torch.float64)
    assert (flow(6, layers=2).transform(base, None) != base).all()


@torch.no_grad()
def test_untrained_prior_is_the_standard_normal():
    prior = RealNVP(RealNVPOptions(), 3, 0)
    z = torch.randn(10, 4, 3)
    torch.testing.assert_close(prior.log_prob(z, None), StandardNormal().log_prob(z, None))
    assert torch.equal(prior.transform(z[:, 0], None), z[:, 0])


@torch.no_grad()
def test_codes_with_a_samples_axis_share_their_rows_condition():
    prior = flow(condition=3)
    z, condition = torch.randn(5, 7, 2, dtype=torch.float64), torch.eye(3, dtype=torch.float64)[[0, 1, 2, 0, 1]]
    each = torch.stack([prior.log_prob(z[:, k], condition) for k in range(7)], dim=1)
    torch.testing.assert_close(prior.log_prob(z, condition), each)


def test_standard_normal_is_that_of_torch():
    z = torch.randn(10, 3)
    expected = MultivariateNormal(torch.zeros(3), torch.eye(3)).log_prob(z)
    torch.testing.assert_close(StandardNormal().log_prob(z, None), expected)
    assert StandardNormal().log_prob(torch.zeros(1, 2), None).item() == pytest.approx(-math.log(2 * math.pi))


@torch.no_grad()
def test_learning_raises_the_likelihood_of_two_clusters():
    torch.manual_seed(0)
    z = torch.randn(2000, 2) * 0.3 + torch.tensor([2.0, 0.0]) * torch.randint(0, 2, (2000, 1)) * 2 - 2
    prior = RealNVP(RealNVPOptions(layers=6), 2, 0)
    before = prior.log_prob(z, None).mean()
    optimizer = torch.optim.Adam(prior.parameters(), 5e-3)
    with torch.enable_grad():
        for _ in range(200):
            loss = -prior.log_prob(z, None).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    one_normal = MultivariateNormal(z.mean(dim=0), z.T.cov()).log_prob(z).mean()
    assert prior.log_prob(z, None).mean() > max(before, one_normal) + 0.3
