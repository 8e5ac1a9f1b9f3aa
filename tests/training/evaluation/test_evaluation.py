"""Every figure is there that the model's operations and the data's labels allow, measured on the test split."""

import numpy as np
import pytest

from models.manifest import Example
from models.repository import Repository
from tests import tiny_bundle
from training import evaluation
from training.datasets.splits import Dataset, Labels
from training.errors import RecipeError
from training.evaluation import evaluate
from training.evaluation.codes import code_figures
from training.evaluation.judging import judge_of, judged_figures
from training.evaluation.terms import score_figures
from training.recipe import Evaluation

X = np.random.default_rng(0).integers(0, 2, size=(40, 2, 2)).astype(np.uint8)
SETTINGS = Evaluation(samples=(1, 5))
UNCOMPLETED = ("sample", "encode", "decode", "score")
SCORE = {"elbo", "reconstruction", "kl", "bound_1", "bound_5", "membership_auc"}
COMPLETED = {"completed_kept", "completed_first_half", "completed_last_half"}
CODES = {"active_units", "posterior_sd", "squared_error"}


def data(support="binary", labels=None, test=X):
    high = {"binary": 1, "levels": 3}[support]
    example = Example(kind="image", support=support, range=(0, high))
    named = Labels(("plain", "shifted"), *[np.arange(len(split)) % 2 for split in (X, X, test)]) if labels else None
    return Dataset("pixels", example, X, X, test, named)


@pytest.mark.parametrize(
    ("operations", "figures"),
    [
        (("sample", "encode", "decode", "score"), SCORE | CODES),
        (("encode", "decode"), CODES),
        (("encode",), CODES - {"squared_error"}),
        (("sample", "decode"), set()),
        (("score",), SCORE),
        (("score", "complete"), SCORE | COMPLETED),
        (("complete",), set()),
    ],
)
def test_figures_are_those_of_what_the_model_can(opened, tmp_path, operations, figures):
    exported = opened(operations=operations)[1]
    assert set(evaluate(exported, data(), SETTINGS, Repository(tmp_path))) == figures


def test_all_other_figures_are_of_the_test_split_alone(opened, tmp_path):
    exported, other = opened(operations=UNCOMPLETED)[1], data(test=1 - X[:30])
    figures = evaluate(exported, other, SETTINGS, Repository(tmp_path))
    test = other.examples("test")
    del figures["membership_auc"]
    assert figures == score_figures(exported, test, SETTINGS) | code_figures(exported, test)
    assert {(figure.split, figure.examples) for figure in figures.values()} == {("test", 30)}


def test_levels_have_bits_a_dimension_of_the_tightest_bound(opened, tmp_path):
    figures = evaluate(opened(operations=UNCOMPLETED)[1], data("levels"), SETTINGS, Repository(tmp_path))
    assert figures["bits_per_dim"].value == pytest.approx(-figures["bound_5"].value / (4 * np.log(2)))
    assert set(figures) == SCORE | CODES | {"bits_per_dim"}


def test_labelled_data_tell_whether_the_samples_are_of_their_class(opened, tmp_path):
    exported = opened(conditional=True, operations=UNCOMPLETED)[1]
    figures = evaluate(exported, data(labels=True), SETTINGS, Repository(tmp_path))
    assert set(figures) == SCORE | CODES | {"class_accuracy", "classifier_accuracy"}


@pytest.mark.parametrize(("name", "measured"), [("ring", {"modes"}), ("mnist", {"precision"}), ("pixels", set())])
def test_modes_are_of_toys_and_quality_of_what_has_a_pinned_classifier(opened, tmp_path, monkeypatch, name, measured):
    for function, figure in (("mode_figures", "modes"), ("quality_figures", "precision")):
        monkeypatch.setattr(evaluation, function, lambda *_, figure=figure: {figure: None})
    for version, operations in enumerate([("sample", "decode"), ("score",)], 1):
        exported = opened(version=version, operations=operations)[1]
        figures = evaluate(exported, data()._replace(name=name), SETTINGS, Repository(tmp_path))
        assert set(figures) == (measured if "sample" in operations else SCORE)


def test_judge_is_the_newest_version_of_its_name_in_the_repository(opened, tmp_path):
    tiny_bundle.publish(tmp_path / "judges", "judge", 1)
    tiny_bundle.publish(tmp_path / "judges", "judge", 2, bias=0.5)
    settings = SETTINGS.model_copy(update={"judge": "judge"})
    older = opened()[1]
    newest = judge_of("judge", data(), Repository(tmp_path / "judges"))
    figures = evaluate(older, data(), settings, Repository(tmp_path / "judges"))
    by_newest = judged_figures(older, newest, data())
    assert newest.name == "judge/2"
    assert {name: figures[name] for name in by_newest} == by_newest


def test_judge_that_is_not_there_is_named(opened, tmp_path):
    settings = SETTINGS.model_copy(update={"judge": "nobody"})
    with pytest.raises(RecipeError, match=r"the judge nobody is not in .*; train it first, or name another"):
        evaluate(opened()[1], data(), settings, Repository(tmp_path / "judges"))


def test_same_model_and_data_give_the_same_figures(opened, tmp_path):
    first, again = (
        evaluate(opened(conditional=True)[1], data(labels=True), SETTINGS, Repository(tmp_path)) for _ in range(2)
    )
    assert first == again
