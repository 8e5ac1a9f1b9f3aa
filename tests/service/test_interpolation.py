"""Paths start and end where they should, and keep the length that a prior gives codes."""

import numpy as np
import pytest

from service.interpolation import PATHS, path_between

START, END = np.float32([3, 0]), np.float32([0, 4])


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("steps", [2, 3, 8])
@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3)])
def test_both_ends_are_included_as_they_are(path, steps, shape):
    start, end = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    codes = path_between(start, end, steps, path)
    assert codes.shape == (steps, *shape)
    assert codes.dtype == np.float32
    assert codes[0].tobytes() == start.tobytes()
    assert codes[-1].tobytes() == end.tobytes()


def test_linear_path_is_even():
    assert path_between(START, END, 5, "linear").tolist() == [[3, 0], [2.25, 1], [1.5, 2], [0.75, 3], [0, 4]]


def test_spherical_path_turns_evenly_and_changes_its_length_evenly():
    codes = path_between(START, END, 4, "spherical")
    assert np.linalg.norm(codes, axis=1) == pytest.approx([3, 10 / 3, 11 / 3, 4])
    assert np.degrees(np.arctan2(codes[:, 1], codes[:, 0])) == pytest.approx([0, 30, 60, 90], abs=1e-4)


def test_spherical_path_of_codes_of_one_length_keeps_it():
    start, end = np.random.default_rng(1).normal(size=(2, 50))
    start, end = (5 * code / np.linalg.norm(code) for code in (start, end))
    codes = path_between(start.astype(np.float32), end.astype(np.float32), 9, "spherical")
    assert np.linalg.norm(codes, axis=1) == pytest.approx([5] * 9)


@pytest.mark.parametrize("end", [[-2, 1e-5], [-2, 1e-7], [-0.5, 1e-5], [-1, 0], [1, 1e-5], [2, 0], [1, 0]])
def test_nearly_parallel_and_nearly_opposite_codes_have_a_path_between_their_lengths(end):
    codes = path_between(np.float32([1, 0]), np.float32(end), 7, "spherical")
    assert np.linalg.norm(codes, axis=1).max() <= max(1, np.linalg.norm(end)) + 1e-6


@pytest.mark.parametrize("ends", [([0, 0], [1, 2]), ([1, 2], [0, 0]), ([0, 0], [0, 0]), ([1, 2], [2, 4])])
def test_without_an_angle_the_spherical_path_is_the_linear_one(ends):
    start, end = map(np.float32, ends)
    assert np.allclose(path_between(start, end, 5, "spherical"), path_between(start, end, 5, "linear"))


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("size", [1e-40, 1e30, 3.4e38])
def test_extreme_codes_have_a_finite_path(path, size):
    codes = path_between(np.float32([size, 0]), np.float32([0, -size]), 5, path)
    assert np.isfinite(codes).all()
    assert np.abs(codes).max() == np.float32(size)
