"""The text of a .csv as a table."""

import csv
from contextlib import suppress
from pathlib import Path

import polars as pl

from training.errors import DataError


def read(path: Path) -> pl.DataFrame:
    """UTF-8 with commas, below a header of names; every cell is left as text, so that it can be shown as it stands."""
    try:
        names = _names(path)
        return pl.read_csv(path, new_columns=names, infer_schema=False, glob=False)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{path} is not a readable .csv in UTF-8: {error}") from error
    except pl.exceptions.PolarsError as error:
        problem = str(error).partition("\n")[0]  # advice to those who call the library follows
        raise DataError(_too_long(path, len(names)) or f"{path} is not a readable .csv: {problem}") from error


def _names(path: Path) -> list[str]:
    """The header; numbers are no names, lest a row be lost, unless they count the columns as pandas does."""
    with path.open(newline="", encoding="utf-8-sig") as file:
        names = [name.strip() for name in next(csv.reader(file), [])]
    twice = [name for place, name in enumerate(names) if name in names[:place]]
    numbers = [name for name in names if _is_number(name)]
    counted = [[str(place) for place in range(start, start + len(numbers))] for start in (0, 1)]
    if not names:
        raise DataError(f"{path} has no header; its first row names the columns")
    if len(names) == 1 and any(mark in names[0] for mark in ";\t"):
        raise DataError(f'{path}: the header is "{names[0]}"; commas are needed between the columns')
    if numbers and numbers not in counted:
        raise DataError(f'{path}: the header holds the number "{numbers[0]}"; the first row names the columns')
    if twice:
        raise DataError(f'{path} has two columns "{twice[0]}"')
    return names


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _too_long(path: Path, fields: int) -> str | None:
    """The first row with more fields than there are columns, which the library does not tell."""
    with path.open(newline="", encoding="utf-8-sig", errors="replace") as file, suppress(csv.Error):
        for row, cells in enumerate(csv.reader(file)):
            if len(cells) > fields:
                return f"{path}, row {row} below the header: {len(cells)} fields for {fields} columns"
    return None
