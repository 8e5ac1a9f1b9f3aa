"""Figures of modes are what they must be for samples of the mixture itself, and tell what a generator misses."""

import math

import numpy as np
import pytest
from scipy import integrate

from models.manifest import Operation
from training.datasets.toys import MIXTURES
from training.evaluation.modes import judge_points, mode_figures
from training.evaluation.terms import SEED

WITHIN = 1 - math.exp(-4.5)  # the share of a plane normal within three standard deviations
SQUARE = integrate.quad(lambda r: r**3 * math.exp(-(r**2) / 2), 0, 3)[0] / WITHIN  # E[r^2 | r < 3]


def values(points, mixture):
    return {name: figure.value for name, figure in judge_points(points, mixture).items()}


def around(mixture, radius, modes=None, points=64):
    """Points at a distance of so many standard deviations from each of the first modes, on all sides."""
    angle = 2 * np.pi * np.arange(points) / points
    circle = mixture.deviation * radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return (mixture.centers[:modes, None] + circle).reshape(-1, 2)


@pytest.mark.parametrize("name", MIXTURES)
def test_samples_of_the_mixture_itself_have_the_figures_that_they_must(name):
    mixture, random, repetitions = MIXTURES[name], np.random.default_rng(0), 200
    modes = len(mixture.centers)
    drawn = [values(mixture.draw(2500, random), mixture) for _ in range(repetitions)]
    assert {one["modes"] for one in drawn} == {modes}
    expected = {"high_quality": 100 * WITHIN, "reverse_kl": (modes - 1) / 5000, "spread": 1}
    for figure, value in expected.items():
        found = np.array([one[figure] for one in drawn])
        assert abs(found.mean() - value) < 4 * found.std(ddof=1) / math.sqrt(repetitions)
        assert found.std() < value  # so that 4 standard errors are a difference worth the name


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("radius", [0.0, 0.5, 1.0])
def test_points_at_one_distance_of_every_mode_have_that_distance_as_their_spread(name, radius):
    mixture = MIXTURES[name]
    assert values(around(mixture, radius), mixture) == pytest.approx(
        {
            "modes": len(mixture.centers),
            "reverse_kl": 0,
            "spread": radius / math.sqrt(SQUARE),
            "high_quality": 100,
        },
        abs=1e-9,
    )


@pytest.mark.parametrize("name", MIXTURES)
@pytest.mark.parametrize("modes", [1, 2, 5])
def test_collapse_to_a_few_modes_is_a_divergence_of_the_log_of_what_part_they_are(name, modes):
    mixture = MIXTURES[name]
    found = values(around(mixture, 1.0, modes), mixture)
    assert found["modes"] == modes
    assert found["reverse_kl"] == pytest.approx(math.log(len(mixture.centers) / modes))
    assert found["high_quality"] == 100


def test_a_single_point_in_a_mode_is_enough_to_count_it_and_shares_are_weighed_as_they_are():
    ring = MIXTURES["ring"]
    points = ring.centers[[0] * 9 + [1]]
    found = values(points, ring)
    assert found["modes"] == 2
    assert found["reverse_kl"] == pytest.approx(0.9 * math.log(8 * 0.9) + 0.1 * math.log(8 * 0.1))


@pytest.mark.parametrize("name", MIXTURES)
def test_three_standard_deviations_are_the_bound_of_high_quality(name):
    mixture = MIXTURES[name]
    near, far = around(mixture, 2.999), around(mixture, 3.001, modes=3)
    found = values(np.concatenate([near, far]), mixture)
    assert found["high_quality"] == pytest.approx(100 * len(near) / (len(near) + len(far)))
    assert found["spread"] == pytest.approx(2.999 / math.sqrt(SQUARE))


def test_modes_that_are_only_missed_are_not_counted_and_have_no_spread():
    ring = MIXTURES["ring"]
    found = values(around(ring, 3.5), ring)
    assert (found["modes"], found["high_quality"]) == (0, 0)
    assert found["reverse_kl"] == pytest.approx(0, abs=1e-12)
    assert "spread" not in found


def test_only_the_share_has_a_standard_error_that_of_a_share():
    grid, rows = MIXTURES["grid"], 2500
    figures = judge_points(grid.draw(rows, np.random.default_rng(0)), grid)
    share = figures["high_quality"].value / 100
    assert figures["high_quality"].std_error == pytest.approx(
        100 * math.sqrt(share * (1 - share) / (rows - 1)), rel=1e-6
    )
    assert {name for name, figure in figures.items() if figure.std_error is None} == {"modes", "reverse_kl", "spread"}
    assert {(figure.split, figure.examples) for figure in figures.values()} == {("samples", rows)}
    assert figures["modes"].unit == "of 25 modes"


class Exact:
    """A model whose samples are those of a mixture, row by row of the seed of evaluation."""

    operations = {"sample": Operation(graph="sample.onnx", outputs=("x",))}

    def __init__(self, mixture):
        self.points = mixture.draw(5000, np.random.default_rng(0))

    def draw(self, name, *, seed, index, rows, temperature):
        assert (name, seed, temperature) == ("sample", SEED, 1)
        return {"row": np.arange(index, index + rows)}

    def run(self, name, inputs):
        return {"x": self.points[inputs["row"]]}


def test_a_model_is_judged_by_its_first_2500_samples():
    ring = MIXTURES["ring"]
    model = Exact(ring)
    assert mode_figures(model, ring) == judge_points(model.points[:2500], ring)
