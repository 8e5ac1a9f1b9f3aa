"""A classifier counts samples of the right class; a judge scores samples beside its own and beside the test split."""

import numpy as np
import pytest

from models import noise
from models.manifest import Example
from models.repository import Repository
from tests import tiny_bundle
from training import views
from training.datasets.splits import Dataset, Examples, Labels
from training.errors import RecipeError
from training.evaluation import judging
from training.evaluation.judging import Judge, class_figures, judge_of, judged_figures
from training.evaluation.terms import SEED, score_terms

X = np.random.default_rng(0).integers(0, 2, size=(40, 2, 2)).astype(np.uint8)
LABELLED = Dataset(
    "pixels",
    Example(kind="image", support="binary", range=(0, 1)),
    *(X, X, X[:30]),
    Labels(("plain", "shifted"), *(np.arange(rows) % 2 for rows in (40, 40, 30))),
)
UNLABELLED = LABELLED._replace(test=X, labels=None)


class Told:
    """A classifier that goes by the first pixel."""

    def __init__(self, dataset):
        assert dataset is LABELLED

    def labels_of(self, x):
        return np.asarray(x)[:, 0, 0].astype(np.int64)


def test_class_accuracy_is_the_share_of_samples_that_are_taken_for_their_label(opened, monkeypatch):
    monkeypatch.setattr(judging, "classifier_of", Told)
    figures = class_figures(opened(conditional=True)[1], LABELLED)
    rows = 10_000
    label = np.arange(rows) % 2
    z, pixel = (
        noise.draw(kind, name, shape, seed=SEED, rows=rows)
        for kind, name, shape in (("normal", "z", (2,)), ("logistic", "pixel", (2, 2)))
    )
    right = (tiny_bundle.logits(z, label) + pixel > 0)[:, 0, 0] == label
    accuracy = figures["class_accuracy"]
    assert accuracy.value == pytest.approx(100 * right.mean(), abs=0.02)  # two draws by a hair
    assert accuracy.std_error == pytest.approx(100 * right.std(ddof=1) / np.sqrt(rows), rel=1e-2)
    assert (accuracy.unit, accuracy.split, accuracy.examples) == ("% of samples", "samples", rows)


def test_classifier_accuracy_is_the_share_of_the_test_split_that_it_takes_rightly(opened, monkeypatch):
    monkeypatch.setattr(judging, "classifier_of", Told)
    figure = class_figures(opened(conditional=True)[1], LABELLED)["classifier_accuracy"]
    assert figure.value == pytest.approx(100 * (X[:30, 0, 0] == np.arange(30) % 2).mean())
    assert (figure.unit, figure.split, figure.examples) == ("% of examples", "test", 30)


@pytest.fixture
def judge(tmp_path_factory, opened):
    return Judge("judge/2", opened(version=2, bias=1.0)[1])


def test_judged_samples_are_scored_by_the_judge(opened, judge):
    exported = opened()[1]
    figures = judged_figures(exported, judge, UNLABELLED)
    for name, of in (("judged_samples", exported), ("judged_own_samples", judge.exported)):
        samples = views.sampled(of, 1000, seed=SEED)["x"]
        bound = score_terms(judge.exported, Examples(samples), (100,))["bound_100"]
        assert figures[name].value == pytest.approx(bound.mean())
        assert figures[name].unit == "nats, IW-100 by judge/2"
        assert (figures[name].split, figures[name].examples) == ("samples", 1000)


def test_judged_test_is_the_bound_of_the_test_split(opened, judge):
    figure = judged_figures(opened()[1], judge, UNLABELLED)["judged_test"]
    order = np.random.default_rng(SEED).permutation(40)
    assert figure.value == pytest.approx(score_terms(judge.exported, Examples(X[order]), (100,))["bound_100"].mean())
    assert (figure.split, figure.examples) == ("test", 40)


def test_no_more_than_a_thousand_test_rows_are_judged(opened, judge):
    many = UNLABELLED._replace(test=np.concatenate([X] * 30))
    assert judged_figures(opened()[1], judge, many)["judged_test"].examples == 1000


def test_a_conditional_model_is_judged_by_samples_of_every_label(opened, judge):
    conditional = opened(conditional=True, version=3)[1]
    samples = views.sampled(conditional, 1000, np.arange(1000) % 2, SEED)["x"]
    expected = score_terms(judge.exported, Examples(samples), (100,))["bound_100"].mean()
    assert judged_figures(conditional, judge, LABELLED)["judged_samples"].value == pytest.approx(expected)


@pytest.mark.parametrize(
    ("options", "data", "complaint"),
    [
        ({"conditional": True}, UNLABELLED, "takes a model that samples and scores, and is given no labels"),
        ({"operations": ["sample", "decode"]}, UNLABELLED, "takes a model that samples and scores"),
        ({}, UNLABELLED._replace(train=np.zeros((4, 3, 2))), "its examples are of another shape or support"),
        ({}, UNLABELLED._replace(example=Example(kind="vector", support="real")), "of another shape or support"),
    ],
)
def test_who_cannot_judge_is_refused(tmp_path, options, data, complaint):
    tiny_bundle.publish(tmp_path, "judge", **options)
    with pytest.raises(RecipeError, match=complaint):
        judge_of("judge", data, Repository(tmp_path))


def test_judge_is_the_newest_of_its_name(tmp_path):
    for version in (1, 2):
        tiny_bundle.publish(tmp_path, "judge", version)
    assert judge_of("judge", UNLABELLED, Repository(tmp_path)).name == "judge/2"
