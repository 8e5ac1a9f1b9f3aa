"""Tables of the user's own, from a .csv or a .parquet."""

from pathlib import Path

import numpy as np
import polars as pl

from training.datasets.own import csv
from training.datasets.own.rows import Rows
from training.datasets.splits import Array
from training.errors import DataError

LABEL = "label"

_ROW_NUMBERS = ("", "Unnamed: 0", "__index_level_0__")  # how pandas names the column of them
_LABELS = (pl.String, pl.Boolean, pl.Categorical, pl.Enum, pl.Null)


def read(path: Path, labels: bool) -> tuple[Rows]:
    """Vectors of all columns but `label`, which is no part of them, asked for or not; each must be numbers.

    A .csv is UTF-8 with commas and a header. Refusals count rows from 1, below the header.
    """
    frame = csv.read(path) if path.suffix.lower() == ".csv" else _parquet(path)
    columns = [column for column in frame if column.name != LABEL]
    if not columns:
        raise DataError(f"{path} has no column of numbers")
    for place, column in enumerate(columns, start=1):
        if column.name in _ROW_NUMBERS:
            raise DataError(f'{path}: column {place}, "{column.name}", has no name of its own; are these row numbers?')
    x = np.stack([_numbers(path, column) for column in columns], axis=1)
    return (Rows(x, _labels(path, frame[LABEL]) if labels and LABEL in frame.columns else None),)


def _parquet(path: Path) -> pl.DataFrame:
    try:
        return pl.read_parquet(path, glob=False)
    except (OSError, pl.exceptions.PolarsError, pl.exceptions.PanicException) as error:
        raise DataError(f"{path} is not a readable .parquet: {error}") from error


def _numbers(path: Path, column: pl.Series) -> Array:
    if not (column.dtype.is_numeric() or column.dtype in (pl.String, pl.Boolean, pl.Null)):
        raise DataError(f'{path}, column "{column.name}" is of type {column.dtype}; numbers are needed')
    plain = column.str.strip_chars() if column.dtype == pl.String else column
    values = plain.cast(pl.Float64, strict=False)
    x = values.to_numpy()
    with np.errstate(over="ignore"):
        finite = np.isfinite(x.astype(np.float32))
    if not finite.all():
        row = int(np.argmin(finite))
        raise DataError(f"{_place(path, row, column)}: {_complaint(plain[row], values[row])}")
    return x


def _place(path: Path, row: int, column: pl.Series) -> str:
    header = " below the header" if path.suffix.lower() == ".csv" else ""
    return f'{path}, row {row + 1}{header}, column "{column.name}"'


def _complaint(cell: object, value: float | None) -> str:
    if cell is None or cell == "":
        return "nothing stands there; a number is needed"
    return f'"{cell}" is not a number' if value is None else f"{cell} is not finite in single precision"


def _labels(path: Path, column: pl.Series) -> Array:
    """Whole numbers where all are, else text."""
    if not (column.dtype.is_integer() or column.dtype in _LABELS):
        raise DataError(f'{path}, column "{LABEL}" is of type {column.dtype}; whole numbers or text are needed')
    text = column.cast(pl.String).str.strip_chars()
    missing = (text.is_null() | (text == "")).to_numpy()
    if missing.any():
        raise DataError(f"{_place(path, int(np.argmax(missing)), column)}: nothing stands there; a label is needed")
    whole = text.cast(pl.Int64, strict=False)
    return (text if whole.null_count() else whole).to_numpy()
