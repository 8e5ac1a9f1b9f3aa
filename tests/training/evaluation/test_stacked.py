"""Combinations of digits are counted as a classifier sees them, and weighed against independent ones."""

import math

import numpy as np
import pytest

from models.manifest import Example, Operation
from training.datasets.splits import Dataset
from training.evaluation import stacked
from training.evaluation.stacked import stacked_figures
from training.evaluation.terms import SEED

EXAMPLE = Example(kind="image", support="levels", range=(0, 255))


def images(digits):
    """(rows, 3, 2, 2) of (rows, 3): the first pixel of each plane is its digit."""
    x = np.zeros((*digits.shape, 2, 2), np.uint8)
    x[..., 0, 0] = digits
    return x


def every(digits):
    """All combinations of three of these digits, (rows, 3)."""
    return np.stack(np.meshgrid(digits, digits, digits), axis=-1).reshape(-1, 3)


class Drawn:
    """A model whose samples go through given combinations in turn."""

    operations = {"sample": Operation(graph="sample.onnx", outputs=("x",))}

    def __init__(self, digits):
        self.x = images(digits).astype(np.float32)

    def draw(self, name, *, seed, index, rows, temperature):
        assert (name, seed, temperature) == ("sample", SEED, 1)
        return {"row": np.arange(index, index + rows)}

    def run(self, name, inputs):
        return {"x": self.x[inputs["row"] % len(self.x)]}


class Told:
    """A classifier of planes that reads the digit off."""

    def __init__(self, dataset):
        assert (dataset.name, dataset.shape, dataset.example) == ("mnist", (2, 2), EXAMPLE)

    def labels_of(self, x):
        return x[:, 0, 0].astype(np.int64)


@pytest.fixture
def figures(monkeypatch):
    """figures(drawn, known): of a model that draws these combinations, the test split being those."""
    monkeypatch.setattr(stacked, "classifier_of", Told)
    monkeypatch.setattr(stacked, "SAMPLES", 2000)

    def make(drawn, known):
        x = images(known)
        return {
            name: f.value
            for name, f in stacked_figures(Drawn(drawn), Dataset("stacked-mnist", EXAMPLE, x, x, x)).items()
        }

    return make


def test_every_combination_as_often_as_the_others_is_all_modes_without_divergence(figures):
    assert figures(every(range(10)), every(range(10))) == pytest.approx({"modes": 1000, "reverse_kl": 0}, abs=1e-12)


@pytest.mark.parametrize("digits", [1, 2, 5])
def test_collapse_to_a_few_combinations_is_a_divergence_of_the_log_of_what_part_they_are(figures, digits):
    found = figures(every(range(digits)), every(range(10)))
    assert found == pytest.approx({"modes": digits**3, "reverse_kl": 3 * math.log(10 / digits)})


def test_planes_in_another_order_are_another_mode(figures):
    found = figures(np.array([[1, 2, 3], [3, 2, 1], [1, 3, 2], [1, 2, 3]]), every(range(10)))
    assert found["modes"] == 3
    assert found["reverse_kl"] == pytest.approx(math.log(1000) + 0.5 * math.log(0.5) + 0.5 * math.log(0.25))


def test_digits_count_as_often_as_the_test_split_has_them_plane_by_plane(figures):
    """Zeros and ones in each plane of the split, the latter thrice as often: independent, 27/64 are (1, 1, 1)."""
    found = figures(np.array([[1, 1, 1], [0, 0, 0]]), every([0, 1, 1, 1]))
    expected = 0.5 * math.log(0.5 / (27 / 64)) + 0.5 * math.log(0.5 / (1 / 64))
    assert found == pytest.approx({"modes": 2, "reverse_kl": expected})
