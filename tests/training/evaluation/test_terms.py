"""Bounds and their parts are what numpy computes from the same formulas and the same noise."""

import math

import numpy as np
import pytest

from models import noise
from models.provenance import Figure
from tests import tiny_bundle
from training.datasets.splits import Examples
from training.evaluation.terms import SEED, bits_per_dim, calibrate, log_probability, score_figures, score_terms
from training.recipe import Evaluation, Paired

RANDOM = np.random.default_rng(0)
X = RANDOM.integers(0, 2, size=(40, 2, 2)).astype(np.uint8)
LABEL = RANDOM.integers(0, 2, size=40)
SAMPLES = (1, 5, 300)  # 40 rows of 300 samples take several runs of the graph


def terms(x, samples, label=0):
    """Every term of every sample by numpy: (rows, samples) each."""
    epsilon = noise.draw("normal", "epsilon", (2,), seed=SEED, rows=len(x), samples=range(samples))
    return tiny_bundle.score(x.astype(np.float32), epsilon, label)


def bound(log_weight):
    return np.log(np.exp(log_weight).mean(axis=1))


@pytest.mark.parametrize("conditional", [False, True])
def test_figures_are_those_of_numpy(opened, conditional):
    exported = opened(conditional=conditional)[1]
    figures = score_figures(exported, Examples(X, LABEL if conditional else None), Evaluation(samples=SAMPLES))
    by_numpy = terms(X, 300, LABEL if conditional else 0)
    log_weight = by_numpy.pop("log_weight")
    rows = {name: value.mean(axis=1) for name, value in by_numpy.items()}
    rows |= {f"bound_{k}": bound(log_weight[:, :k]) for k in SAMPLES}
    assert set(figures) == set(rows)
    for name, values in rows.items():
        figure = figures[name]
        assert figure.value == pytest.approx(values.mean(), rel=1e-5)
        assert figure.std_error == pytest.approx(values.std(ddof=1) / np.sqrt(40), rel=1e-4)
        assert (figure.unit, figure.split, figure.examples) == ("nats", "test", 40)


def test_bound_rises_with_the_number_of_samples(opened):
    figures = score_figures(opened()[1], Examples(X), Evaluation(samples=(1, 8, 64, 512)))
    means = [figures[f"bound_{k}"].value for k in (1, 8, 64, 512)]
    assert means == sorted(means)
    assert figures["elbo"].value < means[-1]


def test_more_samples_than_one_run_takes_are_all_counted(opened):
    scored = score_terms(opened()[1], Examples(X[:2]), (4100,))
    np.testing.assert_allclose(scored["bound_4100"], bound(terms(X[:2], 4100)["log_weight"]), rtol=1e-5)


def test_one_row_has_figures_and_no_error(opened):
    figures = score_figures(opened()[1], Examples(X[:1]), Evaluation(samples=SAMPLES))
    assert {(figure.examples, figure.std_error) for figure in figures.values()} == {(1, None)}


def test_model_without_noise_gives_the_log_probability_itself_and_no_bounds(opened):
    exact = tiny_bundle.log_prob(X, tiny_bundle.logits(np.zeros((1, 2))))
    exported = opened(exact=True)[1]
    scored = score_terms(exported, Examples(X), (1, 100))
    assert set(scored) == {"log_prob"} == {log_probability(exported, 100)}
    np.testing.assert_allclose(scored["log_prob"], exact, rtol=1e-5)
    figures = score_figures(exported, Examples(X), Evaluation(samples=(1, 5), paired=Paired(samples=50, examples=3)))
    assert set(figures) == {"log_prob"}
    assert calibrate(exported, Examples(X)).quantiles[0] == pytest.approx(exact.min(), rel=1e-5)


def test_model_without_noise_is_run_once_for_many_rows_whatever_the_number_of_samples(opened, monkeypatch):
    exported, runs = opened(exact=True)[1], []
    run = exported.run
    monkeypatch.setattr(exported, "run", lambda name, inputs: runs.append(len(inputs["x"])) or run(name, inputs))
    score_terms(exported, Examples(X), (5000,))
    assert runs == [len(X)]


def test_paired_figures_are_the_longer_bound_and_its_gain_on_the_same_rows_and_samples(opened):
    settings = Evaluation(samples=(1, 5), paired=Paired(samples=200, examples=15))
    figures = score_figures(opened()[1], Examples(X), settings)
    alone = score_figures(opened()[1], Examples(X), Evaluation(samples=(1, 5)))
    assert {name: figures[name] for name in alone} == alone
    assert set(figures) - set(alone) == {"bound_200", "bound_200_less_5"}
    chosen = X[np.random.default_rng(SEED).permutation(40)[:15]]
    log_weight = terms(chosen, 200)["log_weight"]
    longer, gain = bound(log_weight), bound(log_weight) - bound(log_weight[:, :5])
    for figure, values in ((figures["bound_200"], longer), (figures["bound_200_less_5"], gain)):
        assert figure.value == pytest.approx(values.mean(), rel=1e-4)
        assert figure.std_error == pytest.approx(values.std(ddof=1) / np.sqrt(15), rel=1e-3)
        assert (figure.unit, figure.examples) == ("nats", 15)


def test_paired_rows_are_all_there_are_where_more_are_asked_for(opened):
    settings = Evaluation(samples=(1,), paired=Paired(samples=8, examples=500))
    assert score_figures(opened()[1], Examples(X), settings)["bound_8_less_1"].examples == 40


def test_paired_rows_keep_their_labels(opened):
    settings = Evaluation(samples=(1,), paired=Paired(samples=8, examples=15))
    figures = score_figures(opened(conditional=True)[1], Examples(X, LABEL), settings)
    chosen = np.random.default_rng(SEED).permutation(40)[:15]
    expected = bound(terms(X[chosen], 8, LABEL[chosen])["log_weight"]).mean()
    assert figures["bound_8"].value == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("std_error", "bits"), [(None, None), (2 * math.log(2), 0.5)])
def test_bits_a_dimension_are_the_negative_bound_over_the_dimensions_and_log_2(std_error, bits):
    bound_in_nats = Figure(value=-12 * math.log(2), std_error=std_error, unit="nats", split="test", examples=9)
    figure = bits_per_dim(bound_in_nats, 4)
    assert figure.value == pytest.approx(3)
    assert figure.std_error == (None if bits is None else pytest.approx(bits))
    assert (figure.unit, figure.split, figure.examples) == ("bits a dimension", "test", 9)


def test_a_uniform_distribution_over_256_levels_takes_8_bits_a_dimension():
    uniform = Figure(value=-784 * math.log(256), unit="nats", split="test", examples=1)
    assert bits_per_dim(uniform, 784).value == pytest.approx(8)


@pytest.mark.parametrize("conditional", [False, True])
def test_calibration_is_the_quantiles_of_the_bound_at_16_samples(opened, conditional):
    calibration = calibrate(opened(conditional=conditional)[1], Examples(X, LABEL if conditional else None))
    rows = bound(terms(X, 16, LABEL if conditional else 0)["log_weight"])
    assert calibration.samples == 16
    np.testing.assert_allclose(calibration.quantiles, np.percentile(rows, range(101)), rtol=1e-5)


def test_model_without_a_score_is_not_calibrated(opened):
    assert calibrate(opened(operations=["encode", "decode"])[1], Examples(X)) is None
