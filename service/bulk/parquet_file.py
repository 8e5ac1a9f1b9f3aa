"""Examples in Parquet: one column of lists or arrays, or a column a value."""

from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.bulk.extra import library
from service.client.results import Model


class ParquetFile:
    column = "row"

    def __init__(self, path: Path, model: Model) -> None:
        polars = library("polars", "Parquet files")
        self._path = path
        self._shape = tuple(model.shapes["x"])
        try:
            self._table = polars.scan_parquet(path)
            self._columns = self._table.collect_schema().names()
            self.rows = int(self._table.select(polars.len()).collect().item())
        except polars.exceptions.PolarsError as error:
            raise ReparamError(f"{path} is no Parquet file") from error
        if len(self._columns) not in (1, prod(self._shape)):
            raise ReparamError(
                f"{path} has {len(self._columns)} columns; {model.name} needs one, of lists, or {prod(self._shape)}"
            )

    def read(self, rows: range) -> NDArray[Any]:
        part = self._table.slice(rows.start, len(rows)).collect()
        try:
            values = part.to_numpy() if len(self._columns) > 1 else part.to_series().to_list()
            return np.array(values, np.float64).reshape(len(rows), *self._shape)
        except (ValueError, TypeError) as error:
            needed = f"{prod(self._shape)} numbers"
            place = f"rows {rows.start} to {rows.stop - 1} of {self._path}"
            raise ReparamError(f"{place} do not hold {needed} each") from error

    def name(self, row: int) -> str:
        return str(row)
