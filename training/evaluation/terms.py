"""log p(x), or bounds of it and their parts, of many rows, with the noise that the service would draw for them."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import bounds
from models.manifest import Calibration
from models.provenance import Figure
from training.datasets.splits import Examples
from training.evaluation.figures import mean_figure
from training.exported import Arrays, Exported
from training.recipe import Evaluation, Paired

SEED = 1  # the service's `score` with this seed and an image's index gives that image's very terms
CALIBRATION_SAMPLES = 16

_RUN = 1000  # rows times samples in one run of a graph


def score_figures(exported: Exported, test: Examples, settings: Evaluation) -> dict[str, Figure]:
    """Each term that the graph offers; `bound_K` for each K, or `log_prob` where the graph gives log p(x) itself.

    A longer K starts with the shorter one's samples, so the figures are paired.
    """
    terms = score_terms(exported, test, settings.samples)
    figures = {name: mean_figure(values, "nats") for name, values in terms.items()}
    if settings.paired is None or _is_exact(exported):
        return figures
    return figures | _paired(exported, test, max(settings.samples), settings.paired)


def bits_per_dim(log_prob: Figure, dimensions: int) -> Figure:
    """log p(x) in nats, as the bits that each dimension of x takes; at most so many where it is a bound."""
    nats = -dimensions * math.log(2)
    error = None if log_prob.std_error is None else log_prob.std_error / abs(nats)
    return log_prob.model_copy(update={"value": log_prob.value / nats, "std_error": error, "unit": "bits a dimension"})


def calibrate(exported: Exported, validation: Examples) -> Calibration | None:
    """The quantiles by which the service says where a score lies; None for a model without a score."""
    if "score" not in exported.operations:
        return None
    terms = score_terms(exported, validation, (CALIBRATION_SAMPLES,))
    quantiles = np.quantile(terms[log_probability(exported, CALIBRATION_SAMPLES)], np.linspace(0, 1, 101))
    return Calibration(samples=CALIBRATION_SAMPLES, quantiles=tuple(quantiles))


def log_probability(exported: Exported, samples: int) -> str:
    """The term that tells log p(x) best: itself where the model gives it, else the bound with so many samples."""
    return "log_prob" if _is_exact(exported) else f"bound_{samples}"


def score_terms(exported: Exported, examples: Examples, samples: tuple[int, ...]) -> Arrays:
    """Per row, (rows,) in nats: the mean of each term of the graph, and `bound_K` for each K, or `log_prob`."""
    rows = max(1, _RUN // _drawn(exported, samples))
    blocks = range(0, len(examples.x), rows)

    def score(start: int) -> Arrays:
        return _score_block(exported, examples.take(slice(start, start + rows)), start, samples)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        scored = list(tqdm(pool.map(score, blocks), total=len(blocks), desc="score", leave=False, dynamic_ncols=True))
    return {name: np.concatenate([block[name] for block in scored]) for name in scored[0]}


def _paired(exported: Exported, test: Examples, shorter: int, settings: Paired) -> dict[str, Figure]:
    """The bound at a larger K on a part of the test split, and what it gains there over the shorter one."""
    chosen = np.random.default_rng(SEED).permutation(len(test.x))[: settings.examples]
    terms = score_terms(exported, test.take(chosen), (shorter, settings.samples))
    longer = terms[f"bound_{settings.samples}"]
    return {
        f"bound_{settings.samples}": mean_figure(longer, "nats"),
        f"bound_{settings.samples}_less_{shorter}": mean_figure(longer - terms[f"bound_{shorter}"], "nats"),
    }


def _score_block(exported: Exported, examples: Examples, index: int, samples: tuple[int, ...]) -> Arrays:
    chunks = []
    count = _drawn(exported, samples)
    for start in range(0, count, _RUN):
        drawn = range(start, min(start + _RUN, count))
        noise = exported.draw("score", seed=SEED, index=index, rows=len(examples.x), samples=drawn)
        chunks.append(exported.run("score", examples.inputs() | noise))
    terms = {name: np.concatenate([chunk[name] for chunk in chunks], axis=1) for name in chunks[0]}
    log_weight: NDArray[np.floating] = terms.pop("log_weight")
    means = {name: bounds.mean(values).value for name, values in terms.items()}
    if _is_exact(exported):
        return means | {"log_prob": log_weight[:, 0].astype(np.float64)}
    return means | {f"bound_{k}": bounds.importance_weighted_bound(log_weight[:, :k]).value for k in samples}


def _drawn(exported: Exported, samples: tuple[int, ...]) -> int:
    """How many samples a row takes; one stands for the none of a model without noise."""
    return 1 if _is_exact(exported) else max(samples)


def _is_exact(exported: Exported) -> bool:
    return not exported.operations["score"].noise
