"""A picture shows what the model draws."""

import io

import numpy as np
import pytest
from PIL import Image

from models.manifest import Example, Operation
from tests import tiny_bundle
from training.datasets.splits import Examples
from training.report.pictures import completions, png, preview, samples

NOTHING = Examples(np.zeros((0, 2, 2)))


def tiles(picture):
    """A picture of 8x8 tiles of 2x2 pixels, as (64, 2, 2) values, each pixel of the model once."""
    image = np.asarray(Image.open(io.BytesIO(picture)))
    assert image.shape == (448, 448)
    tiles = image[7::14, 7::14].reshape(8, 4, 8, 4).transpose(0, 2, 1, 3).reshape(64, 4, 4)
    return tiles[:, 1:3, 1:3]  # inside their frames


def expectations(z, label=0):
    return 1 / (1 + np.exp(-tiny_bundle.logits(z, label)))


def as_grey(mean):
    return (255 * mean).round()


def test_picture_shows_the_expectation_of_samples(opened):
    manifest, exported = opened()
    z = exported.draw("sample", index=0, rows=64)["z"]
    np.testing.assert_allclose(tiles(preview(exported, manifest, NOTHING)), as_grey(expectations(z)), atol=1)


def test_completions_are_below_the_examples_whose_upper_halves_they_keep(opened):
    manifest, exported = opened()
    x = np.random.default_rng(0).integers(0, 2, size=(8, 2, 2)).astype(np.uint8)
    image = np.asarray(Image.open(io.BytesIO(completions(exported, manifest, Examples(x)))))
    shown = image[7::14, 7::14].reshape(6, 4, 8, 4).transpose(0, 2, 1, 3)[:, :, 1:3, 1:3]
    np.testing.assert_array_equal(shown[0], 255 * x)
    assert (shown[1:, :, 0] == 255 * x[:, 0]).all()
    assert len(np.unique(shown[1:, :, 1].reshape(5, -1), axis=0)) > 1


def test_a_column_of_samples_is_of_one_class(opened):
    manifest, exported = opened(conditional=True)
    z = exported.draw("sample", index=0, rows=64)["z"]
    expected = as_grey(expectations(z, np.arange(64) % 2))
    np.testing.assert_allclose(tiles(preview(exported, manifest, NOTHING)), expected, atol=1)


def test_colours_are_red_green_and_blue_and_images_stand_row_by_row():
    images = np.random.default_rng(0).integers(0, 256, size=(6, 3, 4, 5))
    shown = np.asarray(Image.open(io.BytesIO(png(images, 2, (0, 255)))))
    scale = 32  # so that 2 images of 5 pixels with their frames are at least 448 wide
    assert shown.shape == (3 * 6 * scale, 2 * 7 * scale, 3)
    pixels = shown[::scale, ::scale].reshape(3, 6, 2, 7, 3).transpose(0, 2, 4, 1, 3).reshape(6, 3, 6, 7)
    np.testing.assert_array_equal(pixels[:, :, 1:-1, 1:-1], images)


@pytest.mark.parametrize(("classes", "columns"), [(2, 8), (3, 6), (5, 5), (10, 10), (16, 16), (47, 8)])
def test_columns_are_as_many_as_the_classes_where_those_fit(opened, classes, columns):
    manifest, _ = opened(conditional=True)
    manifest = manifest.model_copy(update={"labels": tuple(map(str, range(classes)))})
    image = np.asarray(Image.open(io.BytesIO(samples(LabelAsBrightness(classes), manifest))))
    side = image.shape[0] // 8  # there are eight rows
    assert image.shape[1] == columns * side
    centres = image[side // 2 :: side, side // 2 :: side]
    expected = as_grey(np.arange(8 * columns) % classes / classes).reshape(8, columns)
    np.testing.assert_array_equal(centres, expected)


class LabelAsBrightness:
    """A model whose x is one pixel: its label."""

    operations = {"sample": Operation(graph="sample.onnx", outputs=("x",), label=True)}

    def __init__(self, classes):
        self.classes = classes

    def draw(self, name, **options):
        return {}

    def run(self, name, inputs):
        return {"x": inputs["label"].reshape(-1, 1, 1) / self.classes}


@pytest.mark.parametrize("rows", [3, 12, 50])
@pytest.mark.parametrize("conditional", [False, True])
def test_picture_of_a_model_without_samples_shows_examples_above_reconstructions(opened, rows, conditional):
    manifest, exported = opened(operations=["encode", "decode"], conditional=conditional)
    random = np.random.default_rng(0)
    x = random.integers(0, 2, size=(rows, 2, 2)).astype(np.uint8)
    label = random.integers(0, 2, size=rows) if conditional else None
    shown = tiles(preview(exported, manifest, Examples(x, label))).reshape(4, 2, 8, 2, 2)
    spread = [round(i * (rows - 1) / 31) for i in range(32)]  # from the first to the last, evenly
    own = label[spread] if conditional else 0
    reconstructions = as_grey(expectations(tiny_bundle.posterior(x[spread], own)[0], own))
    np.testing.assert_array_equal(shown[:, 0].reshape(32, 2, 2), 255 * x[spread])
    np.testing.assert_allclose(shown[:, 1].reshape(32, 2, 2), reconstructions, atol=1)


def test_picture_of_images_without_a_range_goes_from_their_least_to_their_greatest_value(opened):
    manifest, exported = opened()
    mean = expectations(exported.draw("sample", index=0, rows=64)["z"])
    real = manifest.model_copy(update={"x": Example(kind="image", support="real")})
    shown = tiles(preview(exported, real, NOTHING))
    assert (shown.min(), shown.max()) == (0, 255)
    np.testing.assert_allclose(shown, as_grey((mean - mean.min()) / (mean.max() - mean.min())), atol=1)


def test_images_of_one_value_are_black():
    image = np.asarray(Image.open(io.BytesIO(png(np.full((1, 448, 448), 3.0), 1, (3.0, 3.0)))))
    assert (image[1:-1, 1:-1] == 0).all()


def test_vectors_have_no_picture(opened):
    manifest, exported = opened()
    vectors = manifest.model_copy(update={"x": manifest.x.model_copy(update={"kind": "vector"})})
    assert preview(exported, vectors, Examples(np.zeros((8, 2, 2)))) is None
