"""What others make of a model's samples: a classifier that tells their class, a model that scores them."""

import numpy as np

from models.provenance import Figure
from models.repository import Repository
from training import views
from training.datasets.splits import Dataset, Examples
from training.errors import RecipeError
from training.evaluation.classifier import Classifier
from training.evaluation.figures import mean_figure
from training.evaluation.terms import SEED, score_terms
from training.exported import Exported

_CLASSIFIED = 10_000
_JUDGED, _JUDGE_SAMPLES = 1000, 100


def class_figures(exported: Exported, dataset: Dataset) -> dict[str, Figure]:
    """How many samples a classifier, trained on the same data, takes for the label that they were drawn for.

    `classifier_accuracy` says how far to trust it: the same on the test split.
    """
    assert dataset.labels is not None
    classifier = Classifier(dataset)
    label = np.arange(_CLASSIFIED) % dataset.classes
    told = classifier.labels_of(views.sampled(exported, len(label), label, SEED)["x"])
    test = dataset.examples("test")
    return {
        "class_accuracy": mean_figure(100.0 * (told == label), "% of samples", split="samples"),
        "classifier_accuracy": mean_figure(100.0 * (classifier.labels_of(test.x) == test.label), "% of examples"),
    }


def judge_of(name: str, repository: Repository) -> Exported:
    """The newest version of that bundle; RecipeError if it cannot judge."""
    versions = repository.versions(name)
    if not versions:
        raise RecipeError(f"the judge {name} is not in {repository.root}; train it first, or name another")
    judge = repository.read(name, versions[-1])
    if not {"sample", "score"} <= set(judge.manifest.operations) or judge.manifest.labels:
        raise RecipeError(f"{name} cannot judge: that takes a model that samples and scores, and is given no labels")
    return Exported(judge.manifest.operations, judge.files)


def judged_figures(exported: Exported, judge: Exported, dataset: Dataset) -> dict[str, Figure]:
    """The judge's bound of log p(x) on this model's samples, beside that on its own and on the test split."""
    rows = np.random.default_rng(SEED).permutation(len(dataset.test))[:_JUDGED]
    label = np.arange(_JUDGED) % dataset.classes if dataset.classes else None
    judged = {
        "judged_samples": views.sampled(exported, _JUDGED, label, SEED)["x"],
        "judged_own_samples": views.sampled(judge, _JUDGED, seed=SEED)["x"],
        "judged_test": dataset.test[rows],
    }
    bound = f"bound_{_JUDGE_SAMPLES}"
    return {
        name: mean_figure(
            score_terms(judge, Examples(x), (_JUDGE_SAMPLES,))[bound],
            "nats",
            "test" if name == "judged_test" else "samples",
        )
        for name, x in judged.items()
    }
