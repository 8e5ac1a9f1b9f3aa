"""A model that never saw the examples tells nothing of them; one that gives some of them more tells who they are."""

import numpy as np
import pytest
from scipy.stats import mannwhitneyu

from models.manifest import Example
from training.datasets.splits import Dataset, Labels
from training.evaluation.membership import membership_figure
from training.evaluation.terms import score_terms
from training.recipe import Evaluation

SETTINGS = Evaluation(samples=(1, 5))
BINARY = Example(kind="image", support="binary", range=(0, 1))


def data(train, test):
    return Dataset("pixels", BINARY, train, test[:1], test)


def drawn(rows, seed, bias=0.5):
    return (np.random.default_rng(seed).random((rows, 2, 2)) < bias).astype(np.uint8)


@pytest.mark.parametrize("labelled", [True, False])
@pytest.mark.parametrize("exact", [True, False])
def test_figure_is_the_share_of_pairs_and_its_error_that_of_delong(opened, exact, labelled):
    exported = opened(exact=exact, conditional=labelled)[1]
    dataset = data(drawn(30, 1), drawn(20, 2, 0.7))
    if labelled:
        labels = (np.random.default_rng(rows).integers(0, 2, rows) for rows in (30, 1, 20))
        dataset = dataset._replace(labels=Labels(("plain", "shifted"), *labels))
    figure = membership_figure(exported, dataset, SETTINGS)
    term = "log_prob" if exact else "bound_5"
    orders = [np.random.default_rng(1).permutation(rows) for rows in (30, 20)]
    members, others = (
        score_terms(exported, dataset.examples(split).take(order), (5,))[term]
        for split, order in zip(("train", "test"), orders, strict=True)
    )
    assert figure.value == pytest.approx(mannwhitneyu(members, others).statistic / (30 * 20))
    of_members = [np.mean([(m > o) + 0.5 * (m == o) for o in others]) for m in members]
    of_others = [np.mean([(m > o) + 0.5 * (m == o) for m in members]) for o in others]
    variance = np.var(of_members, ddof=1) / 30 + np.var(of_others, ddof=1) / 20
    assert figure.std_error == pytest.approx(np.sqrt(variance))
    assert (figure.unit, figure.split, figure.examples) == ("of pairs", "train and test", 50)


def test_examples_that_score_alike_tell_nothing_and_others_all(opened):
    exported = opened(exact=True)[1]
    likely = np.array([[[1, 0], [1, 0]]] * 10, np.uint8)
    assert membership_figure(exported, data(likely, likely), SETTINGS).value == 0.5
    assert membership_figure(exported, data(likely, 1 - likely), SETTINGS).value == 1
    assert membership_figure(exported, data(1 - likely, likely), SETTINGS).value == 0


def test_a_thousand_of_each_split_are_looked_at(opened):
    assert membership_figure(opened(exact=True)[1], data(drawn(1500, 1), drawn(1200, 2)), SETTINGS).examples == 2000


def test_one_example_of_a_split_has_no_error(opened):
    assert membership_figure(opened(exact=True)[1], data(drawn(5, 1), drawn(1, 2)), SETTINGS).std_error is None
