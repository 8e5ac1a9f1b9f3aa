"""The card says what the manifest says; the picture shows what the model draws."""

import io

import numpy as np
import pytest
from PIL import Image

from models.manifest import Example
from models.repository import read_bundle
from tests import tiny_bundle
from training.exported import Exported
from training.report import card, preview


@pytest.fixture
def opened(tmp_path):
    def make(**options):
        bundle = read_bundle(tiny_bundle.publish(tmp_path, **options))
        return bundle.manifest, Exported(bundle.manifest.operations, bundle.files)

    return make


def tiles(picture):
    """A picture of 8x8 tiles of 2x2 pixels, as (64, 2, 2) values, each pixel of the model once."""
    image = np.asarray(Image.open(io.BytesIO(picture)))
    assert image.shape == (448, 448)
    tiles = image[7::14, 7::14].reshape(8, 4, 8, 4).transpose(0, 2, 1, 3).reshape(64, 4, 4)
    return tiles[:, 1:3, 1:3]  # inside their frames


def as_grey(mean):
    return (255 * mean).round()


def test_card_says_what_the_model_is_and_how_good_it_is(opened):
    manifest, _ = opened(operations=["encode", "decode", "score"])
    text = card(manifest)
    for part in (
        "# tiny, version 1",
        "Four pixels.",
        "binary images of shape [2, 2]",
        "| elbo | -3.5 ± 0.25 | nats | test, 16 |",
        "- `score`: log_weight, elbo, reconstruction, kl",
        "- `sample`: it was left out.",
        "never log p(x) itself",
    ):
        assert part in text


def test_card_of_a_model_without_a_score_does_not_speak_of_bounds(opened):
    assert "lower bound" not in card(opened(operations=["encode", "decode"])[0])


def test_picture_shows_the_expectation_of_samples(opened):
    manifest, exported = opened()
    z = exported.draw("sample", index=0, rows=64)["z"]
    expected = as_grey(1 / (1 + np.exp(-tiny_bundle.logits(z))))
    np.testing.assert_allclose(tiles(preview(exported, manifest, np.zeros((0, 2, 2)))), expected, atol=1)


@pytest.mark.parametrize("rows", [3, 12, 50])
def test_picture_of_a_model_without_samples_shows_examples_above_reconstructions(opened, rows):
    manifest, exported = opened(operations=["encode", "decode"])
    x = np.random.default_rng(0).integers(0, 2, size=(rows, 2, 2)).astype(np.uint8)
    shown = tiles(preview(exported, manifest, x)).reshape(4, 2, 8, 2, 2)
    examples = x[[round(i * (rows - 1) / 31) for i in range(32)]]  # from the first to the last, evenly
    code, _ = tiny_bundle.posterior(examples)
    reconstructions = as_grey(1 / (1 + np.exp(-tiny_bundle.logits(code))))
    np.testing.assert_array_equal(shown[:, 0].reshape(32, 2, 2), 255 * examples)
    np.testing.assert_allclose(shown[:, 1].reshape(32, 2, 2), reconstructions, atol=1)


def test_picture_of_images_without_a_range_goes_from_their_least_to_their_greatest_value(opened):
    manifest, exported = opened()
    z = exported.draw("sample", index=0, rows=64)["z"]
    mean = 1 / (1 + np.exp(-tiny_bundle.logits(z)))
    real = manifest.model_copy(update={"x": Example(kind="image", support="real")})
    shown = tiles(preview(exported, real, np.zeros((0, 2, 2))))
    assert (shown.min(), shown.max()) == (0, 255)
    np.testing.assert_allclose(shown, as_grey((mean - mean.min()) / (mean.max() - mean.min())), atol=1)


def test_vectors_have_no_picture(opened):
    manifest, exported = opened()
    vectors = manifest.model_copy(update={"x": manifest.x.model_copy(update={"kind": "vector"})})
    assert preview(exported, vectors, np.zeros((8, 2, 2))) is None
