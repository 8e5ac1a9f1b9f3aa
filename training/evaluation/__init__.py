"""Figures of a model on held-out data, measured through its exported graphs."""

import math

from models.provenance import Figure
from models.repository import Repository
from training.datasets.splits import Dataset
from training.datasets.toys import MIXTURES
from training.evaluation.classifier import PINNED
from training.evaluation.codes import code_figures
from training.evaluation.completing import completion_figures
from training.evaluation.judging import class_figures, judge_of, judged_figures
from training.evaluation.membership import membership_figure
from training.evaluation.modes import mode_figures
from training.evaluation.quality import quality_figures
from training.evaluation.stacked import STACKED, stacked_figures
from training.evaluation.terms import bits_per_dim, log_probability, score_figures
from training.exported import Exported
from training.recipe import Evaluation


def evaluate(exported: Exported, dataset: Dataset, settings: Evaluation, repository: Repository) -> dict[str, Figure]:
    """Every figure that the operations allow, on the test split; standard errors are over its examples.

    `membership_auc` alone looks at the training split as well.

    A judge that the settings name is the newest version of that bundle in `repository`.
    """
    judge = None if settings.judge is None else judge_of(settings.judge, dataset, repository)
    test = dataset.examples("test")
    figures: dict[str, Figure] = {}
    if "score" in exported.operations:
        figures |= score_figures(exported, test, settings)
        if dataset.example.support == "levels":
            tightest = figures[log_probability(exported, max(settings.samples))]
            figures["bits_per_dim"] = bits_per_dim(tightest, math.prod(dataset.shape))
    figures |= code_figures(exported, test)
    if {"complete", "score"} <= set(exported.operations):
        figures |= completion_figures(exported, test)
    if "sample" in exported.operations and dataset.labels:
        figures |= class_figures(exported, dataset)
    if "sample" in exported.operations and dataset.name in MIXTURES:
        figures |= mode_figures(exported, MIXTURES[dataset.name])
    if "sample" in exported.operations and dataset.name in PINNED:
        figures |= quality_figures(exported, dataset)
    if "sample" in exported.operations and dataset.name in STACKED:
        figures |= stacked_figures(exported, dataset)
    if "sample" in exported.operations and judge is not None:
        figures |= judged_figures(exported, judge, dataset)
    if "score" in exported.operations:
        figures["membership_auc"] = membership_figure(exported, dataset, settings)
    return figures
