"""Scores are the bounds of the tiny bundle's own log weights, with their errors, or null with a reason."""

import threading

import numpy as np
import pytest

from models import noise
from service.routes import score_rows
from tests import tiny_bundle
from tests.service.test_generative import SEED, X

ROWS = X.tolist()


def terms(samples, label=0):
    epsilon = noise.draw("normal", "epsilon", (2,), seed=SEED, rows=len(X), samples=range(samples))
    return tiny_bundle.score(X, epsilon.astype(np.float64), label)


def column(answer, name):
    return np.array([row[name] for row in answer["rows"]], float)


def bound(log_weight):
    return np.log(np.exp(log_weight).mean(axis=1))


async def test_many_rows_are_made_in_a_thread_and_are_the_same(service, monkeypatch):
    makers, rows = [], score_rows._rows

    def made(*arguments):
        makers.append(threading.current_thread())
        return rows(*arguments)

    monkeypatch.setattr(score_rows, "_rows", made)
    few = await service.ask("score", x=ROWS, seed=SEED)
    monkeypatch.setattr(score_rows, "_MANY", len(ROWS) - 1)
    many = await service.ask("score", x=ROWS, seed=SEED)
    assert few["rows"] == many["rows"]
    assert [maker is threading.current_thread() for maker in makers] == [True, False]


@pytest.mark.parametrize("samples", [2, 16, 300])
async def test_bounds_are_those_of_the_log_weights(service, samples):
    answer = await service.ask("score", x=ROWS, samples=samples, seed=SEED)
    expected = terms(samples)
    weight = np.exp(expected["log_weight"])
    error = expected["elbo"].std(axis=1, ddof=1) / np.sqrt(samples)
    relative = weight.std(axis=1, ddof=1) / weight.mean(axis=1) / np.sqrt(samples)
    size = weight.sum(axis=1) ** 2 / (weight**2).sum(axis=1)
    assert (answer["kind"], answer["unit"], answer["samples"]) == ("lower_bound", "nats", samples)
    assert column(answer, "elbo") == pytest.approx(expected["elbo"].mean(axis=1), rel=1e-4)
    assert column(answer, "elbo_std_error") == pytest.approx(error, rel=1e-3)
    assert column(answer, "importance_weighted_bound") == pytest.approx(bound(expected["log_weight"]), rel=1e-4)
    assert column(answer, "importance_weighted_bound_std_error") == pytest.approx(relative, rel=1e-3)
    assert column(answer, "effective_sample_size") == pytest.approx(size, rel=1e-3)
    assert [row["reliable"] for row in answer["rows"]] == list(size >= 30)
    assert column(answer, "bits_per_dim") == pytest.approx(-bound(expected["log_weight"]) / np.log(2) / 4, rel=1e-4)
    for name in ("reconstruction", "kl"):
        found = [row["terms"][name] for row in answer["rows"]]
        assert found == pytest.approx(expected[name].mean(axis=1), rel=1e-4)


async def test_sixteen_samples_are_drawn_by_default(service):
    answer = await service.ask("score", x=ROWS, seed=SEED)
    assert answer["samples"] == 16
    assert column(answer, "importance_weighted_bound") == pytest.approx(bound(terms(16)["log_weight"]), rel=1e-4)


async def test_label_moves_the_score(service):
    answer = await service.ask("score", "labelled", x=ROWS, seed=SEED, label=1)
    assert column(answer, "elbo") == pytest.approx(terms(16, label=1)["elbo"].mean(axis=1), rel=1e-4)


async def test_single_sample_has_no_error_and_is_not_reliable(service):
    rows = (await service.ask("score", x=ROWS, samples=1, seed=SEED))["rows"]
    assert {row["elbo_std_error"] for row in rows} == {None}
    assert {row["importance_weighted_bound_std_error"] for row in rows} == {None}
    assert {row["reliable"] for row in rows} == {False}
    assert {row["reason"] for row in rows} == {None}


async def test_exact_model_gives_the_log_probability_itself(service):
    answer = await service.ask("score", "exact", x=ROWS)
    exact = tiny_bundle.log_prob(X, tiny_bundle.logits(np.zeros((5, 2))))
    assert answer["kind"] == "exact"
    for name in ("elbo", "importance_weighted_bound"):
        assert column(answer, name) == pytest.approx(exact, rel=1e-5)
        assert column(answer, f"{name}_std_error").tolist() == [0] * 5
    assert all(row["reliable"] for row in answer["rows"])
    assert column(answer, "percentile") == pytest.approx(np.clip((exact + 6) * 20, 0, 100), rel=1e-4)


async def test_probabilities_of_all_examples_sum_to_one(service):
    every = [[[a, b], [c, d]] for a in (0, 1) for b in (0, 1) for c in (0, 1) for d in (0, 1)]
    exact = column(await service.ask("score", "exact", x=every), "importance_weighted_bound")
    assert np.exp(exact).sum() == pytest.approx(1, rel=1e-5)
    sampled = column(await service.ask("score", x=every, samples=1_000, seed=SEED), "importance_weighted_bound")
    assert np.exp(sampled).sum() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("samples", "is_known"), [(15, False), (16, True), (64, True)])
async def test_percentile_is_that_of_the_calibrations_number_of_samples(service, samples, is_known):
    """The tiny bundle's quantiles rise evenly from -6 to -1 nats, with 16 samples."""
    answer = await service.ask("score", x=ROWS, samples=samples, seed=SEED)
    at_sixteen = np.clip((bound(terms(16)["log_weight"]) + 6) / 5 * 100, 0, 100)
    expected = at_sixteen if is_known else np.full(5, np.nan)
    assert column(answer, "percentile") == pytest.approx(expected, rel=1e-3, nan_ok=True)


async def test_samples_are_drawn_until_every_row_meets_the_target(service):
    target = 0.3
    answer = await service.ask("score", x=ROWS, samples=10, seed=SEED, target_std_error=target)
    assert answer["samples"] in [10 * 2**i for i in range(1, 10)]
    assert column(answer, "importance_weighted_bound_std_error").max() <= target
    assert all(row["reliable"] for row in answer["rows"])
    half = await service.ask("score", x=ROWS, samples=answer["samples"] // 2, seed=SEED)
    missed = column(half, "importance_weighted_bound_std_error").max() > target
    assert missed or not all(row["reliable"] for row in half["rows"])
    assert (await service.ask("score", x=ROWS, samples=answer["samples"], seed=SEED))["rows"] == answer["rows"]


@pytest.mark.parametrize(("rows", "limit"), [(1, 12), (5, 48 // 5)])
async def test_target_out_of_reach_stops_at_the_limit(small, rows, limit):
    assert (await small.ask("score", x=ROWS[:rows], samples=4, target_std_error=1e-9))["samples"] == limit


async def test_exact_model_meets_any_target_at_once(service):
    assert (await service.ask("score", "exact", x=ROWS, samples=3, target_std_error=1e-9))["samples"] == 1


async def test_row_that_overflows_is_null_with_a_reason_and_the_others_are_not(service):
    zeros, ones = [[0, 0], [0, 0]], [[1, 1], [1, 1]]
    rows = (await service.ask("score", "overflowing", x=[zeros, ones], samples=4, seed=SEED))["rows"]
    for name in ("elbo", "importance_weighted_bound", "bits_per_dim", "percentile", "effective_sample_size"):
        assert rows[0][name] is None
    assert rows[0]["terms"]["reconstruction"] is None
    assert rows[0]["reason"] == "the model's arithmetic overflowed on this row"
    assert not rows[0]["reliable"]
    assert rows[1]["reason"] is None
    assert rows[1]["terms"]["reconstruction"] == 0
