"""What may come in: tensors and labels against the manifest, counts against the limits."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from models.manifest import SAMPLED, Example, Manifest, OperationName
from service.errors import InvalidInput, LimitExceeded

_JSON_BYTES_PER_NUMBER = 12
_AT_A_TIME = 2**18  # values; to look at 64 MiB at once takes as much memory again


def check_tensor(manifest: Manifest, operation: OperationName, name: str, array: NDArray[np.float32]) -> None:
    """InvalidInput unless the array is rows of that tensor, with values that it can have."""
    check_shape(manifest, operation, name, array.shape)
    if name == "x":
        step = max(1, _AT_A_TIME * len(array) // array.size)
        for start in range(0, len(array), step):
            _check_support(manifest, array[start : start + step])
    if name == "mask" and not ((array == 0) | (array == 1)).all():
        raise InvalidInput("mask holds values other than 0 and 1; 1 keeps a value of x, 0 has it drawn")


def check_shape(manifest: Manifest, operation: OperationName, name: str, given: tuple[int, ...]) -> None:
    """InvalidInput unless it is the shape of a row or more of that tensor."""
    shape = manifest.shape(operation, name)
    has_samples = operation in SAMPLED and name in manifest.operations[operation].noise
    free = ("rows", "samples") if has_samples else ("rows",)
    if given[len(free) :] != shape or not all(given[: len(free)]):
        needed = ", ".join((*free, *map(str, shape)))
        raise InvalidInput(f"{name} has shape {list(given)}; {manifest.name} needs [{needed}]")


def as_row(manifest: Manifest, operation: OperationName, name: str, array: NDArray[np.float32]) -> NDArray[np.float32]:
    """One row given without a batch axis, with one; InvalidInput unless it has the tensor's shape."""
    shape = manifest.shape(operation, name)
    if array.shape != shape:
        raise InvalidInput(f"{name} has shape {list(array.shape)}; here {manifest.name} needs one, of {list(shape)}")
    return array[None]


def labels(
    manifest: Manifest, operation: OperationName, rows: int, label: int | Sequence[int] | None
) -> NDArray[np.int64]:
    """One label a row, from one for all or one for each; InvalidInput where they do not fit the model."""
    known = len(manifest.labels)
    if label is None:
        raise InvalidInput(f"{manifest.name} needs a label to {operation}: 0 to {known - 1}, one for all or one a row")
    array = np.array(label, np.int64).reshape(-1)
    if len(array) not in (1, rows):
        raise InvalidInput(f"label has {len(array)} values for {rows} rows; one for all or one a row is needed")
    if ((array < 0) | (array >= known)).any():
        raise InvalidInput(f"label goes from 0 to {known - 1}: {', '.join(manifest.labels)}")
    return np.broadcast_to(array, rows)


def check_count(what: str, count: int, limit: int) -> None:
    """LimitExceeded, naming the limit, if there are too many."""
    if count > limit:
        raise LimitExceeded(f"{what}: {count:,} is over the limit of {limit:,}")


def answer_size(manifest: Manifest, operation: OperationName, rows: int) -> int:
    """About how many bytes the rows of an operation's outputs take as JSON."""
    outputs = manifest.operations[operation].outputs
    return rows * _JSON_BYTES_PER_NUMBER * sum(math.prod(manifest.shape(operation, name)) for name in outputs)


def _check_support(manifest: Manifest, x: NDArray[np.float32]) -> None:
    example = manifest.x
    if example.range is not None and not ((x >= example.range[0]) & (x <= example.range[1])).all():
        raise InvalidInput(f"x leaves the range of {manifest.name}, {_described(example)}")
    if example.support != "real" and not (x == np.round(x)).all():
        raise InvalidInput(f"x holds values that {manifest.name} gives no probability; it takes {_described(example)}")


def _described(example: Example) -> str:
    if example.support == "binary":
        return "0 and 1"
    assert example.range is not None  # only real values have none, and those are not described
    ends = f"{example.range[0]:g} to {example.range[1]:g}"
    return f"the whole numbers from {ends}" if example.support == "levels" else ends
