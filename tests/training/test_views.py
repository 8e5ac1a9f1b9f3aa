"""Codes and expectations are those of the service at temperature 0; samples those of seed 0."""

import numpy as np
import pytest

from models import noise
from tests import tiny_bundle
from training.datasets.splits import Examples
from training.views import completed, decoded, encoded, in_turn, sampled, spread


@pytest.fixture
def examples():
    random = np.random.default_rng(0)
    return Examples(random.integers(0, 2, size=(1203, 2, 2)).astype(np.uint8), random.integers(0, 2, size=1203))


@pytest.mark.parametrize("conditional", [False, True])
def test_codes_are_the_posterior_means_of_each_row_and_its_label(opened, examples, conditional):
    exported = opened(conditional=conditional)[1]
    mean, log_variance = tiny_bundle.posterior(examples.x, examples.label if conditional else 0)
    np.testing.assert_allclose(encoded(exported, examples)["mean"], mean, atol=1e-5)
    np.testing.assert_allclose(encoded(exported, examples)["log_variance"], log_variance, atol=1e-5)


@pytest.mark.parametrize("conditional", [False, True])
def test_what_is_decoded_is_the_expectation(opened, conditional):
    random = np.random.default_rng(0)
    z, label = random.normal(size=(1203, 2)), random.integers(0, 2, size=1203) if conditional else None
    logits = tiny_bundle.logits(z, label if conditional else 0)
    np.testing.assert_allclose(
        decoded(opened(conditional=conditional)[1], z, label), 1 / (1 + np.exp(-logits)), atol=1e-5
    )


def test_samples_are_the_first_rows_of_seed_0(opened):
    drawn = sampled(opened()[1], 5)
    np.testing.assert_array_equal(drawn["z"], noise.draw("normal", "z", (2,), seed=0, index=0, rows=5))


def test_what_is_kept_stays_and_the_rest_is_drawn_as_the_service_draws_it(opened, examples):
    few = examples.take(slice(0, 9))
    kept = np.arange(36).reshape(9, 2, 2) % 3 == 0
    pixel = noise.draw("logistic", "pixel", (2, 2), seed=4, rows=9)
    expected = np.where(kept, few.x, tiny_bundle.logits(np.zeros((1, 2))) + pixel > 0)
    np.testing.assert_array_equal(completed(opened()[1], few, kept, seed=4), expected)


def test_labels_take_turns(opened):
    assert in_turn(opened(conditional=True)[0], 5).tolist() == [0, 1, 0, 1, 0]
    assert in_turn(opened(version=2)[0], 5) is None


def test_rows_are_spread_from_the_first_to_the_last():
    assert spread(9, 3).tolist() == [0, 4, 8]
    assert spread(2, 4).tolist() == [0, 0, 1, 1]
    assert spread(5, 5).tolist() == [0, 1, 2, 3, 4]
