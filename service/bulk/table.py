"""Scores as lines of CSV: the columns, and what stands in them."""

import csv
import io
from collections.abc import Iterable, Sequence

import numpy as np

from service.client.results import Doubles, Scores

COLUMNS = (
    "elbo",
    "elbo_std_error",
    "importance_weighted_bound",
    "importance_weighted_bound_std_error",
    "effective_sample_size",
    "reliable",
    "kind",
    "unit",
    "samples",
    "bits_per_dim",
    "percentile",
    "reason",
)
NOT_FINITE = "the example holds a value that is not finite"

_UNSCORED = (*[None] * (len(COLUMNS) - 1), NOT_FINITE)


def head(column: str) -> bytes:
    return _written([(column, *COLUMNS)])


def lines(names: Sequence[str], scores: Scores | None, scored: Iterable[bool]) -> bytes:
    """A line a name; for one that could not be scored only the reason. What is not known is empty."""
    rows = _rows(scores) if scores else [_UNSCORED] * len(names)
    return _written([(name, *(row if was else _UNSCORED)) for name, row, was in zip(names, rows, scored, strict=True)])


def _rows(scores: Scores) -> list[tuple[object, ...]]:
    count = len(scores.elbo)
    columns = {
        "reliable": ["true" if value else "false" for value in scores.reliable],
        "kind": [scores.kind] * count,
        "unit": [scores.unit] * count,
        "samples": [scores.samples] * count,
        "reason": list(scores.reasons),
    }
    return list(zip(*(columns.get(name) or _blank(getattr(scores, name)) for name in COLUMNS), strict=True))


def _blank(values: Doubles) -> list[object]:
    return [None if np.isnan(value) else value for value in values.tolist()]


def _written(rows: Sequence[Sequence[object]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
