"""The distances that the experiments are held against are right where they are known by hand."""

import math

import numpy as np
import pytest

from training.theory.divergences import jensen_shannon, normal, quantiles, wasserstein

KNOWN = {0: 0.0, 0.5: 0.030311, 1: 0.111421, 2: 0.336831, 8: 0.693054}  # by adaptive quadrature


@pytest.mark.parametrize("shift", KNOWN)
def test_divergence_of_normals_is_the_known_one_from_either_side(shift):
    for one, other in [(normal(), normal(shift)), (normal(shift), normal())]:
        assert jensen_shannon(one, other) == pytest.approx(KNOWN[shift], abs=1e-6)


def test_divergence_of_what_does_not_overlap_is_log_2():
    assert jensen_shannon(normal(), normal(40)) == pytest.approx(math.log(2), abs=1e-12)


def test_distance_is_the_least_of_both_ways_to_pair_two_points():
    """(0, 0) to (1, 1) and (3, 0) to (3, 2), not crosswise."""
    one, other = np.array([[0.0, 0], [3, 0]]), np.array([[3.0, 2], [1, 1]])
    assert wasserstein(one, other, "cityblock") == pytest.approx((2 + 2) / 2)
    assert wasserstein(one, other, "euclidean") == pytest.approx((2**0.5 + 2) / 2)


def test_mass_is_split_where_the_numbers_differ():
    assert wasserstein(np.zeros((1, 2)), np.array([[1.0, 0], [3, 0]]), "euclidean") == pytest.approx(2)


def test_quantiles_stand_for_equal_parts():
    assert quantiles(4) == pytest.approx([-1.150349, -0.318639, 0.318639, 1.150349], abs=1e-6)
