"""Data of the user's own: arrays from a file, refused with the place of what is wrong with them."""

import zipfile
from pathlib import Path

import numpy as np

from models.manifest import Example
from training.errors import DataError
from training.splits import Array, Dataset, share_out

_SHARE = 10  # one row in ten validates, one in ten tests


def load(path: Path, support: str | None) -> Dataset:
    """A .npy of (rows, features) or (rows, height, width), or a .npz with `x`, or `train`, `validation` and `test`.

    The values show whether they are binary, levels or real; `support` may ask for a wider reading.
    """
    return _as_dataset(path.stem, _splits(path), support)


def _splits(path: Path) -> tuple[Array, Array, Array]:
    """A .npy is shared out 80 : 10 : 10; a .npz holds `x`, or `train`, `validation` and `test`."""
    try:
        content = np.load(path, allow_pickle=False)
        arrays = {"x": content} if path.suffix == ".npy" else dict(content)
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path} is not a readable array file: {error}") from error
    names = ("train", "validation", "test")
    if set(names) <= set(arrays):
        train, validation, test = (_checked(f"{path}, {name}", arrays[name]) for name in names)
        if not train.shape[1:] == validation.shape[1:] == test.shape[1:]:
            raise DataError(f"{path}: the rows of train, validation and test differ in shape")
        return train, validation, test
    if "x" not in arrays:
        raise DataError(f"{path} holds {', '.join(arrays) or 'nothing'}; it needs x, or train, validation and test")
    rows = _checked(str(path), arrays["x"])
    if len(rows) < _SHARE:
        raise DataError(f"{path} has {len(rows)} rows; at least {_SHARE} are needed to share out")
    return share_out(rows, len(rows) // _SHARE, len(rows) // _SHARE)


def _checked(place: str, rows: Array) -> Array:
    if rows.dtype.kind not in "buif":
        raise DataError(f"{place}: values of type {rows.dtype}; numbers are needed")
    if rows.ndim not in (2, 3) or rows.size == 0:
        raise DataError(f"{place}: shape {rows.shape}; (rows, features) or (rows, height, width) is needed")
    with np.errstate(over="ignore"):
        finite = np.isfinite(rows.astype(np.float32))
    if not finite.all():
        row = int(np.argwhere(~finite)[0][0])
        raise DataError(f"{place}: row {row} holds a value that is not finite in single precision")
    return rows


def _as_dataset(name: str, splits: tuple[Array, Array, Array], support: str | None) -> Dataset:
    """What the values show, unless they are asked to be taken more widely: 0 and 1 as levels, anything as real."""
    low = min(float(split.min()) for split in splits)
    high = max(float(split.max()) for split in splits)
    if low == high:
        raise DataError(f"{name} holds no value but {low:g}")
    whole = all(bool((split == np.round(split)).all()) for split in splits)
    seen = "binary" if whole and (low, high) == (0, 1) else "levels" if whole and low >= 0 and high <= 255 else "real"
    chosen = support or seen
    if chosen != "real" and chosen != seen and not (chosen == "levels" and seen == "binary"):
        raise DataError(f"{name} is {seen}, with values from {low:g} to {high:g}; it cannot be taken as {chosen}")
    example = Example.model_validate(
        {
            "kind": "image" if splits[0].ndim == 3 else "vector",
            "support": chosen,
            "range": {"binary": (0, 1), "levels": (0, high), "real": None}[chosen],
        }
    )
    dtype = np.float32 if chosen == "real" else np.uint8
    return Dataset(name, example, *(split.astype(dtype) for split in splits))
