"""The bounds and their Monte Carlo errors, against cases computed by hand."""

import math

import numpy as np
import pytest

from models import bounds

LOG_3 = math.log(3)
# Weights 1 and 3: their mean is 2, so the relative weights are 1/2 and 3/2.
WEIGHTS_1_AND_3 = np.array([[0.0, LOG_3]])


def test_mean_and_its_error_by_hand():
    estimate = bounds.mean(np.array([[1.0, 2.0, 6.0], [0.0, 0.0, 0.0]]))
    np.testing.assert_allclose(estimate.value, [3, 0])
    np.testing.assert_allclose(estimate.std_error, [math.sqrt((4 + 1 + 9) / 2 / 3), 0])


def test_importance_weighted_bound_and_its_error_by_hand():
    estimate = bounds.importance_weighted_bound(WEIGHTS_1_AND_3)
    np.testing.assert_allclose(estimate.value, [math.log(2)])
    np.testing.assert_allclose(estimate.std_error, [0.5])


@pytest.mark.parametrize(
    ("log_weight", "expected"),
    [(WEIGHTS_1_AND_3, 16 / 10), (np.zeros((1, 7)), 7), (np.array([[0.0, -800.0, -900.0]]), 1)],
)
def test_effective_sample_size_by_hand(log_weight, expected):
    np.testing.assert_allclose(bounds.effective_sample_size(log_weight), [expected])


@pytest.mark.parametrize("estimator", [bounds.mean, bounds.importance_weighted_bound])
def test_error_of_one_sample_is_unknown(estimator):
    estimate = estimator(np.array([[-3.0], [-4.0]]))
    np.testing.assert_array_equal(estimate.value, [-3, -4])
    assert np.isnan(estimate.std_error).all()


@pytest.mark.parametrize("shift", [-1e5, 1e5])
def test_shift_moves_the_bound_and_nothing_else(shift):
    log_weight = np.random.default_rng(0).normal(size=(5, 40))
    plain, shifted = (bounds.importance_weighted_bound(terms) for terms in (log_weight, log_weight + shift))
    np.testing.assert_allclose(shifted.value, plain.value + shift, rtol=0, atol=1e-9)
    np.testing.assert_allclose(shifted.std_error, plain.std_error, rtol=1e-8)
    sizes = [bounds.effective_sample_size(terms) for terms in (log_weight, log_weight + shift)]
    np.testing.assert_allclose(*sizes, rtol=1e-8)


@pytest.mark.parametrize("estimator", [bounds.mean, bounds.importance_weighted_bound])
def test_single_precision_weights_are_summed_in_double(estimator):
    log_weight = np.random.default_rng(3).normal(-90, 2, size=(10, 1000)).astype(np.float32)
    for single, double in zip(estimator(log_weight), estimator(log_weight.astype(np.float64)), strict=True):
        np.testing.assert_array_equal(single, double)


@pytest.mark.parametrize("estimator", [bounds.mean, bounds.importance_weighted_bound])
def test_error_is_the_spread_over_replications(estimator):
    replications, samples = 4000, 400
    log_weight = np.random.default_rng(1).normal(-90, 0.5, size=(replications, samples))
    estimate = estimator(log_weight)
    spread = estimate.value.std(ddof=1)
    error_of_spread = spread / math.sqrt(2 * replications)
    # The delta method is right to order 1/K; beyond that the spread itself is known to its own error.
    assert abs(estimate.std_error.mean() - spread) < 4 * error_of_spread + spread / samples


def test_bound_lies_between_the_mean_and_the_logarithm_of_the_expectation():
    sigma, samples = 1.0, 1000
    log_weight = np.random.default_rng(2).normal(0, sigma, size=(500, samples))
    bound = bounds.importance_weighted_bound(log_weight)
    assert (bound.value >= bounds.mean(log_weight).value).all()
    # The expectation of exp(N(0, 1)) is exp(1/2); the bound falls short of it by Var(w) / (2 K E[w]^2) at first order.
    shortfall = (math.exp(sigma**2) - 1) / (2 * samples)
    error = bound.value.std() / math.sqrt(len(bound.value))
    assert abs(bound.value.mean() - (0.5 * sigma**2 - shortfall)) < 4 * error
