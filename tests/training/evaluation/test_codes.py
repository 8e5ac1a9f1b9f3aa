"""Figures of codes are what numpy computes from the posterior's formulas."""

import numpy as np
import pytest

from tests import tiny_bundle
from training.datasets.splits import Examples
from training.evaluation.codes import code_figures

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 2, size=(40, 2, 2)).astype(np.uint8)
LABEL = RANDOM.integers(0, 2, size=40)


@pytest.mark.parametrize("conditional", [False, True])
def test_figures_are_those_of_numpy(opened, conditional):
    label = LABEL if conditional else None
    figures = code_figures(opened(conditional=conditional)[1], Examples(X, label))
    mean, log_variance = tiny_bundle.posterior(X, LABEL if conditional else 0)
    reconstructed = 1 / (1 + np.exp(-tiny_bundle.logits(mean, LABEL if conditional else 0)))
    rows = {
        "posterior_sd": np.exp(log_variance / 2).mean(axis=1),
        "squared_error": ((reconstructed - X) ** 2).mean(axis=(1, 2)),
    }
    assert set(figures) == {*rows, "active_units"}
    for name, values in rows.items():
        assert figures[name].value == pytest.approx(values.mean(), rel=1e-5)
        assert figures[name].std_error == pytest.approx(values.std(ddof=1) / np.sqrt(40), rel=1e-4)
        assert (figures[name].unit, figures[name].examples) == ("a dimension", 40)


def test_both_units_of_varied_data_are_active(opened):
    figure = code_figures(opened()[1], Examples(X))["active_units"]
    assert (figure.value, figure.unit) == (2, "of 2")


def test_unit_that_is_the_same_for_every_x_is_not_active(opened):
    same = Examples(np.repeat(X[:1], 10, axis=0))
    figure = code_figures(opened(operations=["encode"])[1], same)["active_units"]
    assert (figure.value, figure.std_error) == (0, 0)


def test_one_row_has_figures_and_no_error(opened):
    figures = code_figures(opened()[1], Examples(X[:1]))
    assert set(figures) == {"active_units", "posterior_sd", "squared_error"}
    assert {(figure.examples, figure.std_error) for figure in figures.values()} == {(1, None)}


def test_model_without_a_decoder_has_no_squared_error(opened):
    assert "squared_error" not in code_figures(opened(operations=["encode"])[1], Examples(X))


def test_model_without_an_encoder_has_no_figures_of_codes(opened):
    assert code_figures(opened(operations=["sample", "score"])[1], Examples(X)) == {}
