"""Examples in .npy, of which only what is read is in memory, or in .npz."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.bulk.shaping import shaped
from service.client.results import Model

_NAME = "x"


class ArrayFile:
    column = "row"

    def __init__(self, path: Path, model: Model) -> None:
        self._x = shaped(_numbers(path), model, path)
        self.rows = len(self._x)

    def read(self, rows: range) -> NDArray[Any]:
        return self._x[rows.start : rows.stop]

    def name(self, row: int) -> str:
        return str(row)


def _numbers(path: Path) -> NDArray[Any]:
    try:
        found = np.load(path, mmap_mode="r", allow_pickle=False)
        array: NDArray[Any] = found if isinstance(found, np.ndarray) else _chosen(found, path)
    except (ValueError, EOFError) as error:
        raise ReparamError(f"{path} is no array of numbers") from error
    if array.dtype.kind not in "fiub":
        raise ReparamError(f"{path} holds {array.dtype}, not numbers")
    return array


def _chosen(archive: Any, path: Path) -> NDArray[Any]:
    """The array named x, or the only one; compressed, so all of it is read."""
    with archive:
        names = archive.files
        if _NAME not in names and len(names) != 1:
            raise ReparamError(
                f"{path} holds {', '.join(names)}; the examples have to be the only array, or be named x"
            )
        array: NDArray[Any] = archive[_NAME if _NAME in names else names[0]]
    return array
