"""How many combinations of stacked digits a model draws, and how evenly, as a classifier of single digits sees them."""

import numpy as np
from numpy.typing import NDArray

from models.provenance import Figure
from training import views
from training.datasets.splits import Array, Dataset
from training.evaluation.classifier import Classifier, classifier_of
from training.evaluation.terms import SEED
from training.exported import Exported

STACKED = {"stacked-mnist": "mnist"}
"""What the images of each plane are of."""

SAMPLES = 26_000

_CLASSES = 10


def stacked_figures(exported: Exported, dataset: Dataset) -> dict[str, Figure]:
    """Of 26,000 samples (Metz et al. 2017): how many of the 1,000 `modes`, and `reverse_kl` in nats of their shares.

    It is from the shares that independent digits have, each as frequent as in the test split. Examples themselves have
    nearly all modes, and about 999 / 52,000 = 0.019 nats.
    """
    classifier = classifier_of(_plane(dataset))
    share = _shares(classifier, views.sampled(exported, SAMPLES, seed=SEED)["x"])
    single = [np.bincount(told, minlength=_CLASSES) / len(told) for told in _told(classifier, dataset.test)]
    expected = np.einsum("a,b,c->abc", *single).ravel()
    seen = share > 0
    figures = {
        "modes": (float(seen.sum()), f"of {len(share):,} modes"),
        "reverse_kl": (float((share[seen] * np.log(share[seen] / expected[seen])).sum()), "nats"),
    }
    return {
        name: Figure(value=value, unit=unit, split="samples", examples=SAMPLES)
        for name, (value, unit) in figures.items()
    }


def _shares(classifier: Classifier, x: Array) -> NDArray[np.float64]:
    """How often each combination of digits is seen, (1000,)."""
    mode = np.ravel_multi_index(tuple(_told(classifier, x)), (_CLASSES,) * 3)
    return np.bincount(mode, minlength=_CLASSES**3) / len(x)


def _told(classifier: Classifier, x: Array) -> list[NDArray[np.int64]]:
    """The class of each plane of (rows, 3, height, width): three times (rows,)."""
    return [classifier.labels_of(x[:, plane]) for plane in range(3)]


def _plane(dataset: Dataset) -> Dataset:
    """The data set of single digits, as far as its classifier asks."""
    planes = [split[:, 0] for split in (dataset.train, dataset.validation, dataset.test)]
    return Dataset(STACKED[dataset.name], dataset.example, *planes)
