"""Dimensions are ranked by what they hold, and a traversal changes one of them."""

import numpy as np
import pytest

from tests import tiny_bundle
from training.datasets.splits import Examples
from training.report.latent import VALUES, kl_per_dimension, traversals

ONE, OTHER = np.array([[0, 1], [1, 0]]), np.array([[1, 1], [0, 0]])


def kl(x, label=0):
    mean, log_variance = tiny_bundle.posterior(x, label)
    return 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)


def expectations(z, label=0):
    return 1 / (1 + np.exp(-tiny_bundle.logits(np.asarray(z), label)))


def along(origin, dimension):
    z = np.repeat(origin, 13, axis=0)
    z[:, dimension] = np.arange(-3, 3.5, 0.5)
    return z


def test_kl_is_averaged_over_a_whole_split_that_is_sorted(opened):
    x = np.repeat([ONE, OTHER], 3000, axis=0)
    average = (kl(ONE) + kl(OTHER))[0] / 2
    np.testing.assert_allclose(kl_per_dimension(opened()[1], Examples(x)), average, rtol=1e-5)


def test_kl_is_that_of_each_row_under_its_own_label(opened):
    label = np.array([0, 1, 1])
    x = np.stack([ONE, ONE, OTHER])
    found = kl_per_dimension(opened(conditional=True)[1], Examples(x, label))
    np.testing.assert_allclose(found, kl(x, label).mean(axis=0), rtol=1e-5)


@pytest.mark.parametrize("operations", [["sample", "decode"], ["score"]])
def test_a_model_without_posterior_has_no_kl(opened, operations):
    assert kl_per_dimension(opened(operations=operations)[1], Examples(ONE[None])) is None


@pytest.mark.parametrize("ranked", [(0, 1), (1, 0)])
def test_traversals_start_with_the_greatest_kl(opened, ranked):
    manifest, exported = opened()
    values = np.zeros(2)
    values[list(ranked)] = 2.0, 1.0
    found = traversals(exported, manifest, Examples(ONE[None]), values)
    assert tuple(traversal.dimension for traversal in found) == ranked
    assert len(traversals(exported, manifest, Examples(ONE[None]), values, most=1)) == 1


def test_a_traversal_changes_one_dimension_of_the_first_examples_code(opened):
    manifest, exported = opened(conditional=True)
    examples = Examples(np.stack([ONE, OTHER]), np.array([1, 0]))
    origin = tiny_bundle.posterior(ONE[None], 1)[0]
    for dimension, x in traversals(exported, manifest, examples, np.ones(2)):
        np.testing.assert_allclose(x, expectations(along(origin, dimension), 1), atol=1e-5)
    assert VALUES.tolist() == np.arange(-3, 3.5, 0.5).tolist()


def test_without_an_encoder_traversals_go_through_zero_and_are_ranked_by_how_much_x_changes(opened):
    manifest, exported = opened(operations=["sample", "decode"])
    ends = [expectations(along(np.zeros((1, 2)), dimension)[[0, -1]]) for dimension in (0, 1)]
    change = [np.square(high - low).sum() for low, high in ends]
    found = traversals(exported, manifest, Examples(ONE[None]), None)
    assert [traversal.dimension for traversal in found] == sorted((0, 1), key=lambda d: -change[d])
    for dimension, x in found:
        np.testing.assert_allclose(x, expectations(along(np.zeros((1, 2)), dimension)), atol=1e-5)


def test_there_are_no_traversals_without_a_prior(opened):
    manifest, exported = opened(operations=["encode", "decode"])
    assert traversals(exported, manifest, Examples(ONE[None]), np.ones(2)) == []
