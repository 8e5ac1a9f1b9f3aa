"""The score of examples: bounds of log p(x) with their Monte Carlo errors, drawn until they are as small as asked."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import bounds
from models.bounds import Estimate
from models.manifest import Calibration, Manifest
from service import inputs
from service.draw import Draw
from service.graph import Arrays
from service.served_model import ServedModel
from service.settings import Settings

Floats = NDArray[np.float64]


class Scores(NamedTuple):
    """One value a row, in nats; `terms` are the further terms that the graph offers, each its mean over the samples."""

    samples: int
    is_exact: bool
    elbo: Estimate
    importance_weighted_bound: Estimate
    effective_sample_size: Floats
    reliable: NDArray[np.bool_]
    percentile: Floats | None
    terms: dict[str, Floats]


async def score_examples(
    model: ServedModel, x: NDArray[np.float32], samples: int, target: float | None, draw: Draw, settings: Settings
) -> Scores:
    """Draw `samples` a row; with a `target` standard error go on, doubling, until every row meets it or the limit."""
    check_samples(len(x), samples, settings)
    limit = min(settings.request_samples, settings.request_rows_times_samples // len(x))
    terms = await model.score_terms(x, range(samples), draw)
    scores = _scores(terms, model.manifest)
    while target is not None and not _is_met(scores, target) and scores.samples < limit:
        more = range(scores.samples, min(2 * scores.samples, limit))
        further = await model.score_terms(x, more, draw)
        terms = {name: np.concatenate([terms[name], further[name]], axis=1) for name in terms}
        scores = _scores(terms, model.manifest)
    return scores


def check_samples(rows: int, samples: int, settings: Settings) -> None:
    """LimitExceeded if there are too many a row, or too many in all."""
    inputs.check_count("samples", samples, settings.request_samples)
    inputs.check_count("rows times samples", rows * samples, settings.request_rows_times_samples)


def _is_met(scores: Scores, target: float) -> bool:
    return bool((scores.reliable & (scores.importance_weighted_bound.std_error <= target)).all())


def _scores(drawn: Arrays, manifest: Manifest) -> Scores:
    terms = dict(drawn)
    log_weight = terms.pop("log_weight")
    is_exact = not manifest.operations["score"].noise
    with np.errstate(invalid="ignore"):  # a row that overflowed in the graph gives NaN, which is answered as null
        size = bounds.effective_sample_size(log_weight)
        return Scores(
            samples=log_weight.shape[1],
            is_exact=is_exact,
            elbo=_exact(log_weight) if is_exact else bounds.mean(terms.pop("elbo", log_weight)),
            importance_weighted_bound=_exact(log_weight) if is_exact else bounds.importance_weighted_bound(log_weight),
            effective_sample_size=size,
            reliable=np.full(len(size), is_exact) | (size >= bounds.RELIABLE_SAMPLE_SIZE),
            percentile=_percentile(log_weight, manifest.calibration, is_exact),
            terms={name: bounds.mean(values).value for name, values in terms.items()},
        )


def _exact(log_weight: NDArray[Any]) -> Estimate:
    """log p(x) itself, whose Monte Carlo error is none."""
    value = log_weight[:, 0].astype(np.float64)
    return Estimate(value, np.zeros_like(value))


def _percentile(log_weight: NDArray[Any], calibration: Calibration | None, is_exact: bool) -> Floats | None:
    """Where the bound with the calibration's number of samples lies on the validation split, in percent.

    None where fewer samples were drawn: another number of samples is another bound.
    """
    if calibration is None or not (is_exact or log_weight.shape[1] >= calibration.samples):
        return None
    bound = bounds.importance_weighted_bound(log_weight[:, : calibration.samples]).value
    return np.asarray(np.interp(bound, calibration.quantiles, np.arange(101.0)))
