"""The likelihoods are probabilities, and their draws follow them."""

import numpy as np
import pytest
import torch
from scipy import stats

from models import noise
from models.manifest import Example
from training.errors import RecipeError
from training.likelihoods import LIKELIHOODS

TRIALS = 16
EXAMPLES = {
    "bernoulli": Example(kind="vector", support="binary", range=(0, 1)),
    "binomial": Example(kind="vector", support="levels", range=(0, TRIALS)),
    "discretized_logistic": Example(kind="vector", support="levels", range=(1, TRIALS)),
    "gaussian": Example(kind="vector", support="real"),
}
PARAMETERS = torch.tensor([-2.5, -0.5, 0.0, 0.75, 3.0])
SIGMA = torch.tensor([0.5, 1.0, 2.0, 0.1, 1.5])
ROWS = 20_000


def build(name, dimensions=5):
    likelihood = LIKELIHOODS[name](EXAMPLES[name], dimensions)
    if name == "gaussian":
        likelihood.log_scale.data = SIGMA[:dimensions].log()
    return likelihood


def parameters(name):
    """Those of five dimensions; a discretized logistic takes the others as its scales."""
    return torch.cat([PARAMETERS / 3, PARAMETERS.flip(0)]) if name == "discretized_logistic" else PARAMETERS


def logistic_levels():
    """P(x = level) of a discretized logistic, (levels, dimensions), from the logistic's distribution function."""
    location = 1 + 15 * (PARAMETERS.double().numpy() / 3 + 1) / 2
    scale = 0.25 + 15 / 16 * np.logaddexp(0, PARAMETERS.flip(0).double().numpy())
    edges = np.concatenate([[-np.inf], np.arange(1.5, TRIALS), [np.inf]])[:, None]
    return np.diff(stats.logistic.cdf(edges, location, scale), axis=0)


def draws(name, temperature=1.0):
    likelihood = build(name)
    shape = likelihood.noise_shape((len(PARAMETERS),))
    drawn = noise.draw(likelihood.noise, "pixel", shape, seed=5, rows=ROWS, temperature=temperature)
    with torch.no_grad():
        return likelihood.draw(parameters(name), torch.from_numpy(drawn)).numpy()


def errors(name, temperature=1.0):
    """The standard error of the mean of all draws."""
    p = torch.sigmoid(PARAMETERS / temperature).numpy()
    variance = {
        "bernoulli": p * (1 - p),
        "binomial": TRIALS * p * (1 - p),
        "gaussian": (temperature * SIGMA.numpy()) ** 2,
    }
    return np.sqrt(variance[name] / ROWS)


@pytest.mark.parametrize("name", ["bernoulli", "binomial"])
@pytest.mark.parametrize("parameter", [-50.0, -3.0, 0.0, 0.4, 50.0])
def test_probabilities_of_all_levels_sum_to_one(name, parameter):
    levels = torch.arange(EXAMPLES[name].range[1] + 1).unsqueeze(-1)
    log_prob = build(name, 1).log_prob(levels, torch.tensor([parameter]))
    assert log_prob.exp().sum().item() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("scale", [-20.0, 0.0, 3.0, 200.0])
@pytest.mark.parametrize("location", [-3.0, -1.0, -0.2, 0.7, 1.0, 40.0])
@pytest.mark.parametrize("high", [16, 255])
def test_discretized_logistic_sums_to_one(location, scale, high):
    likelihood = LIKELIHOODS["discretized_logistic"](Example(kind="vector", support="levels", range=(0, high)), 1)
    log_prob = likelihood.log_prob(torch.arange(high + 1).unsqueeze(-1), torch.tensor([location, scale]))
    assert log_prob.isfinite().all()
    assert log_prob.double().exp().sum().item() == pytest.approx(1, abs=1e-5)


def test_discretized_logistic_is_the_logistic_between_the_levels():
    levels = torch.arange(1, TRIALS + 1).unsqueeze(-1)
    each = [
        build("discretized_logistic", 1).log_prob(levels, parameters("discretized_logistic")[[i, 5 + i]]).numpy()
        for i in range(5)
    ]
    np.testing.assert_allclose(np.exp(np.stack(each, axis=1)), logistic_levels(), rtol=1e-4, atol=1e-7)


def test_discretized_logistic_draws_follow_it():
    drawn = draws("discretized_logistic")
    frequency = (drawn == np.arange(1, TRIALS + 1)[:, None, None]).mean(axis=1)
    expected = logistic_levels()
    assert (np.abs(frequency - expected) <= 4 * np.sqrt(expected * (1 - expected) / ROWS) + 1 / ROWS).all()


def test_mean_of_a_discretized_logistic_is_right_to_six_hundredths_of_a_level():
    mean = build("discretized_logistic").mean(parameters("discretized_logistic")).numpy()
    np.testing.assert_allclose(mean, np.arange(1, TRIALS + 1) @ logistic_levels(), atol=0.06)


@pytest.mark.parametrize("location", [-1.4, -1.0, -0.981, 0.0, 0.31, 1.0, 1.2])  # -0.981 is the worst there is
def test_mean_of_the_narrowest_discretized_logistic_is_right_too(location):
    likelihood = build("discretized_logistic", 1)
    parameters = torch.tensor([location, -50.0])
    levels = torch.arange(1, TRIALS + 1).unsqueeze(-1)
    expected = (levels[:, 0] * likelihood.log_prob(levels, parameters).exp()).sum()
    assert likelihood.mean(parameters).item() == pytest.approx(expected.item(), abs=0.06)


def test_density_integrates_to_one():
    x = torch.linspace(-20, 20, 40_001, dtype=torch.float64).unsqueeze(-1)
    density = build("gaussian", 1).double().log_prob(x, torch.tensor([1.5])).exp()
    assert torch.trapezoid(density, x[:, 0]).item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize(("name", "x"), [("bernoulli", 1.0), ("binomial", 7.0), ("gaussian", -0.3)])
def test_log_probabilities_add_up_over_the_dimensions(name, x):
    whole = build(name).log_prob(torch.full((1, 5), x), PARAMETERS)
    p = torch.sigmoid(PARAMETERS).double().numpy()
    expected = {
        "bernoulli": lambda: stats.bernoulli.logpmf(1, p),
        "binomial": lambda: stats.binom.logpmf(7, TRIALS, p),
        "gaussian": lambda: stats.norm.logpdf(x, PARAMETERS, SIGMA),
    }[name]()
    assert whole.item() == pytest.approx(expected.sum(), rel=1e-5)


@pytest.mark.parametrize("name", ["bernoulli", "binomial", "gaussian"])
def test_draws_have_the_mean_of_the_likelihood(name):
    mean = build(name).mean(PARAMETERS).detach().numpy()
    assert (np.abs(draws(name).mean(axis=0) - mean) < 4 * errors(name)).all()


def test_every_level_is_drawn_as_often_as_its_probability():
    levels = np.arange(TRIALS + 1)[:, None]
    frequency = (draws("binomial") == levels[:, None]).mean(axis=1)
    expected = stats.binom.pmf(levels, TRIALS, torch.sigmoid(PARAMETERS).numpy())
    # A level seen less than once in all rows has no normal error; one whole draw is allowed for it.
    assert (np.abs(frequency - expected) <= 4 * np.sqrt(expected * (1 - expected) / ROWS) + 1 / ROWS).all()


@pytest.mark.parametrize(("name", "temperature"), [("bernoulli", 0.5), ("bernoulli", 2.0), ("gaussian", 0.5)])
def test_temperature_sharpens_the_draws(name, temperature):
    mean = torch.sigmoid(PARAMETERS / temperature) if name == "bernoulli" else PARAMETERS
    assert (np.abs(draws(name, temperature).mean(axis=0) - mean.numpy()) < 4 * errors(name, temperature)).all()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("bernoulli", [0, 0, 0, 1, 1]),
        ("binomial", [1, 6, 8, 11, 16]),  # the mode, floor((n + 1) p)
        ("discretized_logistic", [2, 7, 8, 10, 16]),  # the level next to 1 + 15 (parameter / 3 + 1) / 2, ends included
        ("gaussian", PARAMETERS.tolist()),
    ],
)
def test_without_noise_the_draw_is_the_mode(name, expected):
    assert (draws(name, temperature=0) == np.float32(expected)).all()


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_likelihood_of_another_support_is_refused(name):
    other = EXAMPLES["gaussian" if name != "gaussian" else "bernoulli"]
    with pytest.raises(RecipeError, match=f"the likelihood {name} is for .* data, not {other.support}: take another"):
        LIKELIHOODS[name](other, 1)


def test_binomial_of_levels_that_start_above_zero_is_refused():
    with pytest.raises(RecipeError, match="levels from 0, these start at 1"):
        LIKELIHOODS["binomial"](Example(kind="vector", support="levels", range=(1, 4)), 1)
