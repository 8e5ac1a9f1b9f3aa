"""The finished table, made of the parts of a run."""

from collections.abc import Callable
from pathlib import Path

from models.errors import ReparamError
from service.bulk import table
from service.bulk.extra import library
from service.bulk.partial import Partial
from service.bulk.whole_file import whole_file


def check_output(output: Path) -> None:
    """Before anything is computed for it."""
    if output.suffix not in _WRITERS:
        raise ReparamError(f"{output} can be written as {' or '.join(_WRITERS)}")
    if not output.absolute().parent.is_dir():
        raise ReparamError(f"there is no folder {output.parent}")
    if output.suffix == ".parquet":
        library("polars", "Parquet files")


def publish(partial: Partial, column: str, output: Path) -> None:
    with whole_file(output) as file:
        _WRITERS[output.suffix](partial, column, file)


def _as_csv(partial: Partial, column: str, file: Path) -> None:
    with file.open("wb") as opened:
        opened.write(table.head(column))
        opened.writelines(partial.parts())


def _as_parquet(partial: Partial, column: str, file: Path) -> None:
    """Through CSV, so that no more than a few row groups are in memory."""
    polars = library("polars", "Parquet files")
    kinds = dict.fromkeys(table.COLUMNS, polars.Float64)
    kinds |= {"reliable": polars.Boolean, "samples": polars.Int64}
    kinds |= dict.fromkeys(("kind", "unit", "reason"), polars.String)
    schema = {column: polars.Int64 if column == "row" else polars.String} | kinds
    lines = file.with_name(f"{file.name}.csv")
    try:
        _as_csv(partial, column, lines)
        polars.scan_csv(lines, schema=schema).sink_parquet(file)
    finally:
        lines.unlink(missing_ok=True)


_WRITERS: dict[str, Callable[[Partial, str, Path], None]] = {".csv": _as_csv, ".parquet": _as_parquet}
