"""Pixels and values are each other's inverse, and many images stand in a grid."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from models.manifest import Example
from service.encoding import picture
from service.errors import InvalidInput

BINARY = Example(kind="image", support="binary", range=(0, 1))
DIGITS = Example(kind="image", support="levels", range=(0, 16))
BYTES = Example(kind="image", support="levels", range=(0, 255))
REAL = Example(kind="image", support="real", range=(-1, 1))


def shown(images, example):
    with Image.open(BytesIO(picture.write(np.asarray(images, np.float32), example))) as image:
        return np.asarray(image)


@pytest.mark.parametrize(
    ("example", "pixels", "values"),
    [
        (BINARY, [0, 255], [0, 1]),
        (DIGITS, [0, 16, 128, 255], [0, 1, 8, 16]),  # 255/16 = 15.94, 8 * 15.94 = 127.5
        (BYTES, [0, 1, 128, 255], [0, 1, 128, 255]),
        (REAL, [0, 51, 255], [-1, -0.6, 1]),
    ],
)
def test_pixels_and_values_are_each_others_inverse(example, pixels, values):
    found = picture.values(np.uint8([[pixels]]), example)
    assert found == pytest.approx(np.float32([[values]]))
    assert shown(found, example).tolist() == [pixels]


@pytest.mark.parametrize("example", [BINARY, DIGITS, BYTES])
def test_every_level_survives_its_picture(example):
    low, high = map(int, example.range)
    levels = np.arange(low, high + 1, dtype=np.float32)[None, None]
    assert (picture.values(shown(levels, example), example) == levels).all()


@pytest.mark.parametrize(("example", "pixel"), [(BINARY, 1), (BINARY, 254), (DIGITS, 8), (DIGITS, 127)])
def test_grey_between_the_levels_is_refused(example, pixel):
    with pytest.raises(InvalidInput, match="grey levels"):
        picture.values(np.uint8([[[pixel]]]), example)


def test_images_stand_in_a_grid_row_by_row():
    images = np.arange(5, dtype=np.float32)[:, None, None] * np.ones((5, 2, 3), np.float32)
    grid = shown(images, BYTES)
    assert grid.shape == (2 * 2, 3 * 3)
    assert grid[::2, ::3].tolist() == [[0, 1, 2], [3, 4, 0]]
    assert (grid == np.kron([[0, 1, 2], [3, 4, 0]], np.ones((2, 3)))).all()


def test_colours_stand_in_a_grid_too():
    images = np.arange(2 * 3 * 2 * 2, dtype=np.float32).reshape(2, 3, 2, 2)
    grid = shown(images, BYTES)
    assert grid.shape == (2, 4, 3)
    assert (grid[:, 2:] == np.moveaxis(images[1], 0, -1)).all()


def test_expectations_are_shown_between_black_and_white():
    assert shown([[[0, 0.5, 1]]], BINARY).tolist() == [[0, 128, 255]]


def test_what_is_not_finite_or_leaves_the_range_is_shown_all_the_same():
    assert shown([[[np.nan, np.inf, -np.inf, 7, -7]]], BINARY).tolist() == [[0, 0, 0, 255, 0]]


@pytest.mark.parametrize(
    ("kind", "support", "shape", "can"),
    [
        ("image", "binary", (2, 2), True),
        ("image", "binary", (3, 2, 2), True),
        ("image", "binary", (4, 2, 2), False),
        ("image", "binary", (4,), False),
        ("vector", "binary", (2, 2), False),
    ],
)
def test_pictures_are_of_images_grey_or_in_three_colours(kind, support, shape, can):
    assert picture.shows(Example(kind=kind, support=support, range=(0, 1)), shape) == can


def test_images_without_a_range_are_not_shown():
    assert not picture.shows(Example(kind="image", support="real"), (2, 2))
