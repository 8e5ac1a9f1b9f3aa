"""Examples in CSV, a line each; a first line of words is passed over."""

from collections.abc import Iterator
from itertools import islice
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.client.results import Model


class CsvFile:
    column = "row"

    def __init__(self, path: Path, model: Model) -> None:
        self._path = path
        self._shape = tuple(model.shapes["x"])
        self._first = 0 if _are_numbers(next(_filled(path), "")) else 1
        self.rows = sum(1 for _ in _filled(path)) - self._first
        self._at, self._lines = 0, self._from_the_first()

    def read(self, rows: range) -> NDArray[Any]:
        if rows.start < self._at:
            self._at, self._lines = 0, self._from_the_first()
        lines = islice(self._lines, rows.start - self._at, rows.stop - self._at)
        self._at = rows.stop
        return np.stack([self._values(line, row) for row, line in zip(rows, lines, strict=True)])

    def name(self, row: int) -> str:
        return str(row)

    def _from_the_first(self) -> Iterator[str]:
        return islice(_filled(self._path), self._first, None)

    def _values(self, line: str, row: int) -> NDArray[np.float64]:
        try:
            values = np.array(line.split(","), np.float64)
        except ValueError as error:
            raise ReparamError(f"row {row} of {self._path} is not numbers with commas between") from error
        if len(values) != prod(self._shape):
            raise ReparamError(f"row {row} of {self._path} has {len(values)} numbers, not {prod(self._shape)}")
        return values.reshape(self._shape)


def _filled(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8") as file:
        yield from (line for line in file if line.strip())


def _are_numbers(line: str) -> bool:
    try:
        np.array(line.split(","), np.float64)
    except ValueError:
        return False
    return True
