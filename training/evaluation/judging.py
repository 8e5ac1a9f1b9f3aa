"""What others make of a model's samples: a classifier that tells their class, a model that scores them."""

from typing import NamedTuple

import numpy as np

from models.provenance import Figure
from models.repository import Repository
from training import views
from training.datasets.splits import Dataset, Examples
from training.errors import RecipeError
from training.evaluation.classifier import classifier_of
from training.evaluation.figures import mean_figure
from training.evaluation.terms import SEED, log_probability, score_terms
from training.exported import Exported

_CLASSIFIED = 10_000
_JUDGED, _JUDGE_SAMPLES = 1000, 100


def class_figures(exported: Exported, dataset: Dataset) -> dict[str, Figure]:
    """How many samples a classifier, trained on the same data, takes for the label that they were drawn for.

    `classifier_accuracy` says how far to trust it: the same on the test split.
    """
    assert dataset.labels is not None
    classifier = classifier_of(dataset)
    label = np.arange(_CLASSIFIED) % dataset.classes
    told = classifier.labels_of(views.sampled(exported, len(label), label, SEED)["x"])
    test = dataset.examples("test")
    return {
        "class_accuracy": mean_figure(100.0 * (told == label), "% of samples", split="samples"),
        "classifier_accuracy": mean_figure(100.0 * (classifier.labels_of(test.x) == test.label), "% of examples"),
    }


class Judge(NamedTuple):
    """A model that scores the samples of others."""

    name: str
    exported: Exported


def judge_of(name: str, dataset: Dataset, repository: Repository) -> Judge:
    """The newest version of that bundle; RecipeError if it cannot judge models of these data."""
    versions = repository.versions(name)
    if not versions:
        raise RecipeError(f"the judge {name} is not in {repository.root}; train it first, or name another")
    judge = repository.read(name, versions[-1])
    manifest = judge.manifest
    if not {"sample", "score"} <= set(manifest.operations) or manifest.labels:
        raise RecipeError(f"{name} cannot judge: that takes a model that samples and scores, and is given no labels")
    if (manifest.x, manifest.shapes["x"]) != (dataset.example, dataset.shape):
        raise RecipeError(
            f"{name} cannot judge samples of {dataset.name}: its examples are of another shape or support"
        )
    return Judge(f"{name}/{manifest.version}", Exported(manifest.operations, judge.files))


def judged_figures(exported: Exported, judge: Judge, dataset: Dataset) -> dict[str, Figure]:
    """The judge's log p(x), or bound of it, on this model's samples, beside that on its own and on the test split."""
    rows = np.random.default_rng(SEED).permutation(len(dataset.test))[:_JUDGED]
    label = np.arange(_JUDGED) % dataset.classes if dataset.classes else None
    judged = {
        "judged_samples": views.sampled(exported, _JUDGED, label, SEED)["x"],
        "judged_own_samples": views.sampled(judge.exported, _JUDGED, seed=SEED)["x"],
        "judged_test": dataset.test[rows],
    }
    term = log_probability(judge.exported, _JUDGE_SAMPLES)
    method = "exact" if term == "log_prob" else f"IW-{_JUDGE_SAMPLES}"
    return {
        name: mean_figure(
            score_terms(judge.exported, Examples(x), (_JUDGE_SAMPLES,))[term],
            f"nats, {method} by {judge.name}",
            "test" if name == "judged_test" else "samples",
        )
        for name, x in judged.items()
    }
