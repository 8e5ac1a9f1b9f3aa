"""A toy is the mixture that it is known to be, and the same points every time."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from models.manifest import Example
from training import datasets
from training.datasets.toys import MIXTURES, Mixture, toy

TOYS = {name: toy(name) for name in MIXTURES}


def test_ring_has_eight_modes_evenly_on_the_unit_circle():
    centers, deviation = MIXTURES["ring"]
    half = 0.5**0.5
    eighths = [[1, 0], [half, half], [0, 1], [-half, half], [-1, 0], [-half, -half], [0, -1], [half, -half]]
    np.testing.assert_allclose(centers, eighths, atol=1e-12)
    assert deviation == 0.01


def test_grid_has_25_modes_two_apart():
    centers, deviation = MIXTURES["grid"]
    assert sorted(map(tuple, centers)) == [(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)]
    assert deviation == 0.05


@pytest.mark.parametrize("name", MIXTURES)
def test_modes_are_equally_likely_normals_around_their_centers(name):
    (centers, deviation), points = MIXTURES[name], TOYS[name].train.astype(np.float64)
    nearest = np.linalg.norm(points[:, None] - centers, axis=2).argmin(axis=1)
    counts, share = np.bincount(nearest), 1 / len(centers)
    assert len(counts) == len(centers)
    assert (abs(counts - share * len(points)) < 4 * np.sqrt(len(points) * share * (1 - share))).all()
    off = (points - centers[nearest]) / deviation
    for mode, count in enumerate(counts):
        of_mode = off[nearest == mode]
        assert (abs(of_mode.mean(axis=0)) < 4 / np.sqrt(count)).all()
        assert (abs(np.cov(of_mode, rowvar=False) - np.eye(2)) < 4 * np.sqrt((1 + np.eye(2)) / count)).all()


@pytest.mark.parametrize("name", MIXTURES)
def test_a_toy_is_a_data_set_by_its_name_the_same_every_time(name):
    first = TOYS[name]
    again = datasets.load(name)
    assert again.digest == first.digest
    assert (again.name, again.example, again.labels) == (name, Example(kind="vector", support="real"), None)
    assert [split.shape for split in again[2:5]] == [(100_000, 2), (10_000, 2), (10_000, 2)]
    assert again.train.dtype == np.float32


@pytest.mark.parametrize("name", MIXTURES)
def test_splits_share_no_point(name):
    rows = np.concatenate(TOYS[name][2:5])
    assert len(np.unique(rows, axis=0)) == len(rows) == 120_000


def test_density_is_the_mean_of_the_modes_densities():
    points = np.array([[0.0, 0.0], [1.0, 0.1], [-3.0, 4.0]])
    mixture = Mixture(np.array([[0.0, 0.0], [1.0, 0.0]]), 0.5)
    modes = [multivariate_normal(center, 0.25 * np.eye(2)).pdf(points) for center in mixture.centers]
    np.testing.assert_allclose(mixture.log_prob(points), np.log(np.mean(modes, axis=0)))
