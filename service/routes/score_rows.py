"""Scores as the rows of an answer."""

import asyncio
from collections.abc import Iterator
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from service.routes.body import at_once
from service.schemas import responses
from service.scoring import Scores
from service.served_model import ServedModel

_MANY = 2**7  # rows
_NOT_FINITE = "the model's arithmetic overflowed on this row"


async def score_rows(model: ServedModel, scores: Scores) -> list[responses.ScoreRow]:
    """A row each, numbers that are not finite as null; many are made in a thread, where others come between."""
    here = at_once if len(scores.reliable) <= _MANY else asyncio.to_thread
    return await here(lambda: list(_rows(model, scores)))


def _rows(model: ServedModel, scores: Scores) -> Iterator[responses.ScoreRow]:
    bound, error = (_nullable(values) for values in scores.importance_weighted_bound)
    elbo, elbo_error = (_nullable(values) for values in scores.elbo)
    size = _nullable(scores.effective_sample_size)
    percentile = [None] * len(bound) if scores.percentile is None else _nullable(scores.percentile)
    terms = {name: _nullable(values) for name, values in scores.terms.items()}
    nats_of_a_bit_a_dimension = np.log(2) * np.prod(model.manifest.shapes["x"])
    is_discrete = model.manifest.x.support != "real"
    for i, value in enumerate(bound):
        yield responses.ScoreRow(
            elbo=elbo[i],
            elbo_std_error=elbo_error[i],
            importance_weighted_bound=value,
            importance_weighted_bound_std_error=error[i],
            effective_sample_size=size[i],
            reliable=bool(scores.reliable[i]),
            bits_per_dim=-value / nats_of_a_bit_a_dimension if value is not None and is_discrete else None,
            percentile=percentile[i],
            terms={name: values[i] for name, values in terms.items()},
            reason=_NOT_FINITE if value is None or elbo[i] is None else None,
        )


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    return [value if isfinite(value) else None for value in values.tolist()]
