"""Examples in a file or a folder, read a part at a time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.bulk.array_file import ArrayFile
from service.bulk.csv_file import CsvFile
from service.bulk.image_folder import ImageFolder
from service.bulk.parquet_file import ParquetFile
from service.client.results import Model


class Source(Protocol):
    """`rows` examples; `column` is what tells them apart, and `name` its value for one of them."""

    column: str
    rows: int

    def read(self, rows: range) -> NDArray[Any]:
        """Those rows, with the model's shape; parts are asked for in order."""
        ...

    def name(self, row: int) -> str: ...


_OF_A_FILE: dict[str, Callable[[Path, Model], Source]] = {
    ".npy": ArrayFile,
    ".npz": ArrayFile,
    ".csv": CsvFile,
    ".parquet": ParquetFile,
}


def open_source(path: Path, model: Model) -> Source:
    if path.is_dir():
        return ImageFolder(path, model)
    if path.suffix not in _OF_A_FILE:
        raise ReparamError(f"{path} is none of {', '.join(_OF_A_FILE)} and no folder of images")
    if not path.is_file():
        raise ReparamError(f"there is no file {path}")
    source = _OF_A_FILE[path.suffix](path, model)
    if not source.rows:
        raise ReparamError(f"{path} has no rows")
    return source


def single(x: NDArray[Any]) -> NDArray[Any]:
    """As they are sent: bytes, or numbers in single precision."""
    if x.dtype in (np.uint8, np.bool_):
        return x.astype(np.uint8)
    with np.errstate(over="ignore"):
        return x.astype(np.float32)
