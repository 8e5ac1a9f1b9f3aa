"""Arrays on the wire: as npy, in a query, in JSON."""

from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float32]


def as_numbers(name: str, given: ArrayLike) -> NDArray[Any]:
    """Rows as the service takes them: bytes as they are, all else in single precision; ValueError if not finite."""
    array = np.asarray(given)
    if array.dtype in (np.uint8, np.bool_):
        return np.ascontiguousarray(array, np.uint8)
    with np.errstate(over="ignore"):
        single = np.ascontiguousarray(array, np.dtype("<f4"))
    if not np.isfinite(single).all():
        raise ValueError(f"{name} holds a value that is not finite in single precision")
    return single


def as_npy(array: NDArray[Any]) -> bytes:
    file = BytesIO()
    np.lib.format.write_array(file, array, version=(1, 0), allow_pickle=False)
    return file.getvalue()


def from_npy(content: bytes) -> Floats:
    array: Floats = np.lib.format.read_array(BytesIO(content), allow_pickle=False)
    return array


def from_lists(values: list[Any]) -> Floats:
    """Nested lists; null is a value that was not finite."""
    return np.array(values, np.float32)


def as_text(value: object) -> str:
    """A value for the query; a number in the notation that every float has in few digits."""
    return np.format_float_scientific(value, trim="-") if isinstance(value, float) else str(value)
