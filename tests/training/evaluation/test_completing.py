"""What is completed keeps its half, and is scored with the half that was drawn."""

import numpy as np
import pytest

from models import noise
from tests import tiny_bundle
from training.datasets.splits import Examples
from training.evaluation import completing
from training.evaluation.completing import completion_figures
from training.evaluation.terms import SEED

ROWS = 30
X = np.random.default_rng(0).integers(0, 2, size=(ROWS, 2, 2)).astype(np.uint8)
KEPT = {
    "completed_kept": [[1, 1], [1, 1]],
    "completed_last_half": [[1, 1], [0, 0]],
    "completed_first_half": [[0, 0], [1, 1]],
}


@pytest.mark.parametrize("name", KEPT)
def test_figure_is_the_log_probability_of_kept_and_drawn_together(opened, name):
    chosen = X[np.random.default_rng(SEED).permutation(ROWS)]
    pixel = noise.draw("logistic", "pixel", (2, 2), seed=SEED, rows=ROWS)
    drawn = tiny_bundle.logits(np.zeros((1, 2))) + pixel > 0
    completed = np.where(KEPT[name], chosen, drawn)
    values = tiny_bundle.log_prob(completed, tiny_bundle.logits(np.zeros((1, 2))))
    figure = completion_figures(opened(exact=True)[1], Examples(X))[name]
    assert figure.value == pytest.approx(values.mean(), rel=1e-5)
    assert figure.std_error == pytest.approx(values.std(ddof=1) / np.sqrt(ROWS), rel=1e-4)
    assert (figure.unit, figure.split, figure.examples) == ("nats", "test", ROWS)


def test_no_more_examples_are_completed_than_it_takes(opened, monkeypatch):
    monkeypatch.setattr(completing, "_COMPLETED", 7)
    figures = completion_figures(opened(exact=True)[1], Examples(X))
    assert {figure.examples for figure in figures.values()} == {7}
