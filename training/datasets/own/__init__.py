"""Data of the user's own: a file or folder read as a data set, or refused with the place of what is wrong."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.manifest import Example
from training.datasets.own import arrays, images, tables
from training.datasets.own.rows import Rows
from training.datasets.splits import Array, Dataset, Labels, share_out
from training.errors import DataError

READERS: dict[str, Callable[[Path, bool], tuple[Rows, ...]]] = {
    ".npy": arrays.read,
    ".npz": arrays.read,
    ".csv": tables.read,
    ".parquet": tables.read,
}

_SHARE = 10  # one row in ten validates, one in ten tests
_NEEDS = {"binary": "0 and 1 alone, in images 0 and 255", "levels": "whole numbers from 0 to 255"}


def can_read(path: Path) -> bool:
    """A folder, or a file of a kind in READERS."""
    return path.is_dir() or path.suffix.lower() in READERS


def load(path: Path, support: str | None = None, labels: bool = False) -> Dataset:
    """The arrays, table or folder of images at `path`, in its own splits or shared out 80 : 10 : 10.

    The values show whether they are binary, levels or real; `support` may ask for a wider reading. Levels go up to the
    highest value there is, those of images to 255; images of 0 and 255 alone are binary. The name keeps its ending, so
    that nobody's data are taken for a known data set.
    """
    if path.is_dir():
        name, read, highest = f"{path.resolve().name}/", images.read, images.WHITE
    else:
        name, read, highest = path.name, READERS[path.suffix.lower()], None
    parts = _shared_out(path, read(path, labels))
    dataset = _as_dataset(name, [part.x for part in parts], support, highest)
    return dataset._replace(labels=_labels(path, parts)) if labels else dataset


def _shared_out(path: Path, parts: tuple[Rows, ...]) -> tuple[Rows, ...]:
    if len(parts) > 1:
        if len({part.x.shape[1:] for part in parts}) > 1:
            raise DataError(f"{path}: the rows of train, validation and test differ in shape")
        return parts
    x, label = parts[0]
    share = len(x) // _SHARE
    if share == 0:
        raise DataError(f"{path} has {len(x)} rows; at least {_SHARE} are needed to share out")
    shared = share_out(x, share, share)
    return tuple(map(Rows, shared)) if label is None else tuple(map(Rows, shared, share_out(label, share, share)))


def _as_dataset(name: str, splits: list[Array], support: str | None, highest: int | None) -> Dataset:
    """What the values show, unless they are asked to be taken more widely: 0 and 1 as levels, anything as real."""
    low = min(float(split.min()) for split in splits)
    high = max(float(split.max()) for split in splits)
    if low == high:
        raise DataError(f"{name} holds no value but {low:g}")
    seen = _seen(splits, low, high, highest)
    chosen = support or seen
    if chosen not in (seen, "real") and (seen, chosen) != ("binary", "levels"):
        raise DataError(
            f"{name} is {seen}, with values from {low:g} to {high:g}; "
            f"it cannot be taken as {chosen}, which needs {_NEEDS[chosen]}"
        )
    if chosen == "binary" and highest is not None:
        splits = [split // highest for split in splits]
    example = Example.model_validate(
        {
            "kind": "image" if splits[0].ndim == 3 else "vector",
            "support": chosen,
            "range": {"binary": (0, 1), "levels": (0, highest or high), "real": None}[chosen],
        }
    )
    dtype = np.float32 if chosen == "real" else np.uint8
    return Dataset(name, example, *(split.astype(dtype) for split in splits))


def _seen(splits: list[Array], low: float, high: float, highest: int | None) -> str:
    if highest is not None:
        return "binary" if all(bool(np.isin(split, (0, highest)).all()) for split in splits) else "levels"
    if low < 0 or high > 255 or not all(bool((split == np.round(split)).all()) for split in splits):
        return "real"
    return "binary" if (low, high) == (0, 1) else "levels"


def _labels(path: Path, parts: tuple[Rows, ...]) -> Labels:
    """The distinct labels in their order, and each row's place among them."""
    found = [part.label for part in parts if part.label is not None]
    if len(found) < len(parts):
        raise DataError(
            f"{path} does not hold a label for every row; labels are label in a .npz (beside splits train_label, "
            "validation_label and test_label), the column label of a .csv or .parquet, or the subfolders of images"
        )
    names, places = np.unique(np.concatenate(found), return_inverse=True)
    splits = np.split(places.astype(np.int64), np.cumsum([len(label) for label in found])[:-1])
    unseen = np.setdiff1d(np.arange(len(names)), splits[0])
    if len(unseen):
        raise DataError(f'{path}: no training row has the label "{names[unseen[0]]}"; leave it out or add rows of it')
    return Labels(tuple(map(str, names)), *splits)
