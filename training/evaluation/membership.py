"""Whether scores tell what a model was trained on: the simplest attack, which takes for a member what scores higher."""

import math

import numpy as np
from numpy.typing import NDArray

from models.provenance import Figure
from training.datasets.splits import Dataset, Examples
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
        score_terms(exported, _some(examples), (samples,))[term]
        for examples in (dataset.examples("train"), dataset.examples("test"))
    )
    higher = (members[:, None] > others) + 0.5 * (members[:, None] == others)  # (members, others)
    return Figure(
        value=float(higher.mean()),
        std_error=_std_error(higher),
        unit="of pairs",
        split="train and test",
        examples=sum(higher.shape),
    )


def _some(examples: Examples) -> Examples:
    return examples.take(np.random.default_rng(SEED).permutation(len(examples.x))[:_MOST])


def _std_error(higher: NDArray[np.floating]) -> float | None:
    """Each member's share of the others, and each other's share of the members, vary by themselves.

    None where that cannot be seen: for a single example, and where all are told apart.
    """
    if min(higher.shape) < 2 or higher.min() == higher.max():
        return None
    return math.sqrt(sum(higher.mean(axis=axis).var(ddof=1) / higher.shape[1 - axis] for axis in (0, 1)))
