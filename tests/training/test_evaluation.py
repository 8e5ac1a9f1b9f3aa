"""Figures are what numpy computes from the same formulas and the same noise, and their errors are over the rows."""

import numpy as np
import pytest

from models import noise
from models.repository import read_bundle
from tests import tiny_bundle
from training.evaluation import SEED, calibrate, evaluate, score_terms
from training.exported import Exported

X = np.random.default_rng(0).integers(0, 2, size=(40, 2, 2)).astype(np.uint8)
SAMPLES = (1, 5, 300)  # 40 rows of 300 samples take several runs of the graph


@pytest.fixture(scope="module")
def open_tiny(tmp_path_factory):
    def make(**options):
        bundle = read_bundle(tiny_bundle.publish(tmp_path_factory.mktemp("tiny"), **options))
        return Exported(bundle.manifest.operations, bundle.files)

    return make


def terms(x, samples):
    """Every term of every sample by numpy: (rows, samples) each."""
    epsilon = noise.draw("normal", "epsilon", (2,), seed=SEED, rows=len(x), samples=range(samples))
    return tiny_bundle.score(x.astype(np.float32), epsilon)


def bound(log_weight):
    return np.log(np.exp(log_weight).mean(axis=1))


def test_figures_are_those_of_numpy(open_tiny):
    figures = evaluate(open_tiny(), X, SAMPLES, "test")
    by_numpy = terms(X, 300)
    log_weight = by_numpy.pop("log_weight")
    rows = {name: value.mean(axis=1) for name, value in by_numpy.items()}
    rows |= {f"bound_{k}": bound(log_weight[:, :k]) for k in SAMPLES}
    code, _ = tiny_bundle.posterior(X)
    reconstructed = 1 / (1 + np.exp(-tiny_bundle.logits(code)))
    rows["squared_error"] = ((reconstructed - X) ** 2).mean(axis=(1, 2))
    assert set(figures) == {*rows, "active_units"}
    for name, values in rows.items():
        figure = figures[name]
        assert figure.value == pytest.approx(values.mean(), rel=1e-5)
        assert figure.std_error == pytest.approx(values.std(ddof=1) / np.sqrt(40), rel=1e-4)
        assert (figure.split, figure.examples) == ("test", 40)
    assert figures["active_units"].value == 2
    assert figures["active_units"].unit == "of 2"
    assert figures["elbo"].unit == "nats"


def test_unit_that_is_the_same_for_every_x_is_not_active(open_tiny):
    same = np.repeat(X[:1], 10, axis=0)
    assert evaluate(open_tiny(operations=["encode"]), same, (1,), "test")["active_units"].value == 0


def test_bound_rises_with_the_number_of_samples(open_tiny):
    figures = evaluate(open_tiny(), X, (1, 8, 64, 512), "test")
    means = [figures[f"bound_{k}"].value for k in (1, 8, 64, 512)]
    assert means == sorted(means)
    assert figures["elbo"].value < means[-1]


def test_more_samples_than_one_run_takes_are_all_counted(open_tiny):
    scored = score_terms(open_tiny(), X[:2], (4100,))
    np.testing.assert_allclose(scored["bound_4100"], bound(terms(X[:2], 4100)["log_weight"]), rtol=1e-5)


def test_one_row_has_figures_and_no_error(open_tiny):
    figures = evaluate(open_tiny(), X[:1], SAMPLES, "test")
    assert {"elbo", "bound_300", "active_units", "squared_error"} <= set(figures)
    assert {(figure.examples, figure.std_error) for figure in figures.values()} == {(1, None)}


def test_same_bundle_and_data_give_the_same_figures(open_tiny):
    assert evaluate(open_tiny(), X, SAMPLES, "test") == evaluate(open_tiny(), X, SAMPLES, "test")


def test_exact_score_is_the_same_at_every_number_of_samples(open_tiny):
    exact = tiny_bundle.log_prob(X, tiny_bundle.logits(np.zeros((1, 2))))
    scored = score_terms(open_tiny(exact=True), X, (1, 100))
    np.testing.assert_allclose(scored["bound_1"], exact, rtol=1e-5)
    np.testing.assert_array_equal(scored["bound_1"], scored["bound_100"])


def test_model_without_a_score_has_the_figures_of_what_it_can_do(open_tiny):
    exported = open_tiny(operations=["encode", "decode"])
    assert set(evaluate(exported, X, SAMPLES, "test")) == {"active_units", "squared_error"}
    assert calibrate(exported, X) is None


def test_calibration_is_the_quantiles_of_the_bound_at_16_samples(open_tiny):
    calibration = calibrate(open_tiny(), X)
    rows = bound(terms(X, 16)["log_weight"])
    assert calibration.samples == 16
    np.testing.assert_allclose(calibration.quantiles, np.percentile(rows, range(101)), rtol=1e-5)
