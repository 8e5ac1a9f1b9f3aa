"""Estimates and their standard errors are the textbook's."""

import math

import numpy as np
import pytest

from training.theory.statistics import Estimate, difference, mean, ratio, variance


def test_mean_has_the_deviation_over_the_root_of_n():
    assert mean([1.0, 3.0]) == Estimate(2.0, pytest.approx(math.sqrt(2) / math.sqrt(2)))


def test_variance_of_a_coin_is_known_without_error():
    """Every square is 1/4, so that nothing is left to chance but which side came up."""
    value, std_error = variance(np.tile([0.0, 1.0], 500))
    assert value == pytest.approx(0.25, rel=2e-3)
    assert std_error == pytest.approx(0, abs=1e-12)


def test_variance_of_normal_draws_is_off_by_its_error():
    """Var s^2 = 2 sigma^4 / (n - 1)."""
    draws = np.random.default_rng(0).normal(size=(400, 1000))
    found = [variance(row) for row in draws]
    assert np.std([value for value, _ in found]) == pytest.approx(math.sqrt(2 / 999), rel=0.15)
    assert np.mean([error for _, error in found]) == pytest.approx(math.sqrt(2 / 999), rel=0.05)


def test_relative_errors_of_a_ratio_and_errors_of_a_difference_add_as_squares():
    assert ratio(Estimate(6, 0.18), Estimate(2, 0.08)) == (3, pytest.approx(3 * 0.05))
    assert difference(Estimate(6, 3), Estimate(2, 4)) == (4, pytest.approx(5))
