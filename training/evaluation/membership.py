"""Whether scores tell what a model was trained on: the simplest attack, which takes for a member what scores higher."""

import math

import numpy as np
from numpy.typing import NDArray

from models.provenance import Figure
from training.datasets.splits import Dataset
from training.evaluation.terms import SEED, log_probability, score_terms
from training.exported import Exported
from training.recipe import Evaluation

_MOST = 1000  # examples of each split
_MOST_SAMPLES = 100


def membership_figure(exported: Exported, dataset: Dataset, settings: Evaluation) -> Figure:
    """How often a training example scores higher than a test example: 0.5 is a guess, 1 tells them all apart.

    That is the area under the attack's curve; its standard error is over the examples of both splits (DeLong, DeLong
    and Clarke-Pearson 1988). An attack that compares scores with those of other models may learn more.
    """
    samples = min(_MOST_SAMPLES, max(settings.samples))
    term = log_probability(exported, samples)
    members, others = (
        score_terms(exported, dataset.examples(split).take(_chosen(len(getattr(dataset, split)))), (samples,))[term]
        for split in ("train", "test")
    )
    higher = (members[:, None] > others) + 0.5 * (members[:, None] == others)  # (members, others)
    return Figure(
        value=float(higher.mean()),
        std_error=_std_error(higher) or None if min(higher.shape) > 1 else None,
        unit="of pairs",
        split="train and test",
        examples=sum(higher.shape),
    )


def _chosen(rows: int) -> NDArray[np.int64]:
    return np.random.default_rng(SEED).permutation(rows)[:_MOST]


def _std_error(higher: NDArray[np.floating]) -> float:
    """Each member's share of the others, and each other's share of the members, vary by themselves."""
    return math.sqrt(sum(higher.mean(axis=axis).var(ddof=1) / higher.shape[1 - axis] for axis in (0, 1)))
