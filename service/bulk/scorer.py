"""Scores part after part, several requests under way at a time, in the order of the rows."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.bulk import table
from service.bulk.partial import Partial
from service.bulk.sources import Source, single
from service.bulk.support import check_support, finite_rows
from service.client import AsyncReparam, Problem
from service.client.asking import How
from service.client.results import Model, Scores

_MOST_ROWS, _MOST_ROWS_TIMES_SAMPLES, _MOST_VALUES = 1024, 2**11, 2**21  # in a request


def rows_of_a_part(samples: int, values: int) -> int:
    """So many that a request is worth its way, and no more than a service takes and a few answers hold."""
    return max(1, min(_MOST_ROWS, _MOST_ROWS_TIMES_SAMPLES // samples, _MOST_VALUES // values))


class Part(NamedTuple):
    """Some rows as they are asked for, and which of them are their own."""

    rows: range
    names: list[str]
    x: NDArray[Any]
    finite: NDArray[np.bool_]


class Lines(NamedTuple):
    """Their scores as they are kept."""

    rows: range
    content: bytes


@dataclass(frozen=True)
class Scorer:
    """A row is drawn by its own place in the data, so that its score does not depend on the parts."""

    client: AsyncReparam
    model: Model
    source: Source
    samples: int
    seed: int
    label: int | None
    rows: int
    window: int

    async def run(self, partial: Partial, told: Callable[[int], object]) -> None:
        """From where `partial` ends; `told` how many rows were added to it."""
        under_way: deque[asyncio.Task[Lines]] = deque()
        try:
            for start in range(partial.rows, self.source.rows, self.rows):
                rows = range(start, min(start + self.rows, self.source.rows))
                part = await asyncio.to_thread(self._read, rows)
                under_way.append(asyncio.create_task(self._lines(part)))
                if len(under_way) == self.window:
                    _keep(partial, await under_way.popleft(), told)
            while under_way:
                _keep(partial, await under_way.popleft(), told)
        finally:
            for task in under_way:
                task.cancel()
            await asyncio.gather(*under_way, return_exceptions=True)

    def _read(self, rows: range) -> Part:
        """Rows that are not finite are stood in for by another, so that the others keep their places."""
        x, names = single(self.source.read(rows)), [self.source.name(row) for row in rows]
        finite = finite_rows(x)
        if finite.any():
            x[~finite] = x[finite][:1]
            check_support(self.model, x, lambda row: f"{self.source.column} {names[row]}")
        return Part(rows, names, x, finite)

    async def _lines(self, part: Part) -> Lines:
        scores = await self._score(part) if part.finite.any() else None
        return Lines(part.rows, table.lines(part.names, scores, part.finite))

    async def _score(self, part: Part) -> Scores:
        how: How = {"seed": self.seed, "index": part.rows.start, "label": self.label, "version": self.model.version}
        try:
            scores = await self.client.score(self.model.name, part.x, self.samples, **how)
        except Problem as problem:
            hint = "; a smaller --rows may do" if problem.status in (413, 422, 504) and len(part.rows) > 1 else ""
            raise ReparamError(f"rows {part.rows.start} to {part.rows.stop - 1}: {problem}{hint}") from problem
        if scores.digest != self.model.digest:
            raise ReparamError(
                f"{self.model.name} became another model meanwhile; the scores of one file are of one model"
            )
        return scores


def _keep(partial: Partial, lines: Lines, told: Callable[[int], object]) -> None:
    partial.append(*lines)  # here and not in a thread, which would go on when this is cancelled
    told(len(lines.rows))
