"""Arrays of the user's own, from a .npy or a .npz."""

import tokenize
import zipfile
import zlib
from pathlib import Path

import numpy as np

from training.datasets.own.rows import SPLITS, Rows
from training.datasets.splits import Array
from training.errors import DataError

# What numpy raises over broken files: of its headers, the archive around them, and what is packed in it.
_UNREADABLE = (
    OSError,
    ValueError,
    EOFError,
    MemoryError,
    NotImplementedError,
    RuntimeError,
    tokenize.TokenError,
    zipfile.BadZipFile,
    zlib.error,
)


def read(path: Path, labels: bool) -> tuple[Rows, ...]:
    """A .npy of (rows, features) or (rows, height, width), or a .npz with `x`, or `train`, `validation` and `test`.

    A .npz may hold labels (rows,) too: `label` beside `x`, `train_label` and so on beside the splits.
    """
    arrays = _arrays(path)
    if set(SPLITS) <= set(arrays):
        names = {name: f"{name}_label" for name in SPLITS}
    elif "x" in arrays:
        names = {"x": "label"}
    else:
        raise DataError(f"{path} holds {', '.join(arrays) or 'nothing'}; it needs x, or train, validation and test")
    return tuple(_rows(path, arrays, name, label if labels else None) for name, label in names.items())


def _arrays(path: Path) -> dict[str, Array]:
    is_npy = path.suffix.lower() == ".npy"
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray) != is_npy:
            raise DataError(f"{path} is a .{'npz' if is_npy else 'npy'} by its content; give it that ending")
        arrays = {"x": content} if is_npy else dict(content)
    except _UNREADABLE as error:
        raise DataError(f"{path} is not a readable array file: {error}") from error
    for name, array in arrays.items():
        if not isinstance(array, np.ndarray):
            raise DataError(f"{path}: {name} is no array of numpy's; np.savez writes such a file")
    return arrays


def _rows(path: Path, arrays: dict[str, Array], name: str, label: str | None) -> Rows:
    rows = _checked(str(path) if name == "x" else f"{path}, {name}", arrays[name])
    if label not in arrays:
        return Rows(rows)
    return Rows(rows, _checked_labels(f"{path}, {label}", arrays[label], len(rows)))


def _checked(place: str, rows: Array) -> Array:
    if rows.dtype.kind not in "buif":
        raise DataError(f"{place}: values of type {rows.dtype}; numbers are needed")
    if rows.ndim not in (2, 3) or rows.size == 0:
        raise DataError(f"{place}: shape {rows.shape}; (rows, features) or (rows, height, width) is needed")
    with np.errstate(over="ignore"):
        finite = np.isfinite(rows.astype(np.float32))
    if not finite.all():
        at = tuple(int(place) for place in np.argwhere(~finite)[0])
        raise DataError(f"{place}: {rows[at]} at {list(at)}, counted from 0, is not finite in single precision")
    return rows


def _checked_labels(place: str, labels: Array, rows: int) -> Array:
    if labels.dtype.kind not in "buiU":
        raise DataError(f"{place}: labels of type {labels.dtype}; whole numbers or text are needed")
    if labels.shape != (rows,):
        raise DataError(f"{place}: shape {labels.shape}; one label for each of {rows} rows, ({rows},), is needed")
    return labels
