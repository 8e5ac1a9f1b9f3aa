"""Tensors as JSON has them, nested lists of numbers, made arrays without an object a number outliving it."""

from itertools import chain
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

BLOCK = 2**15  # items of a tensor that are handled in one go: nobody else comes in until a call in C is over

_RAGGED = "Input is ragged: lists of one depth have different lengths"


def tensor(value: object) -> NDArray[np.float32]:
    """Nested lists of numbers as a float32 array; booleans, ragged lists and numbers beyond float32 are refused."""
    if isinstance(value, np.ndarray):
        return value
    shape, blocks = _flattened(value)
    array = np.concatenate([_floats(*block) for block in blocks])
    if not np.isfinite(array).all():
        raise PydanticCustomError("tensor", "Input holds a number beyond single precision")
    return array.reshape(shape)


def integers(value: object) -> NDArray[np.int64]:
    """Nested lists of whole numbers as an int64 array."""
    shape, blocks = _flattened(value)
    return np.concatenate([_whole_numbers(*block) for block in blocks]).reshape(shape)


def _floats(items: list[Any], types: set[type]) -> NDArray[np.float32]:
    if not types <= {int, float}:
        raise PydanticCustomError("tensor", "Input should hold numbers only, each list nested as deep as the others")
    if types == {int} and (octets := _octets(items)) is not None:
        return octets
    with np.errstate(over="ignore"):
        return np.fromiter(items, np.float64, len(items)).astype(np.float32)


def _octets(items: list[int]) -> NDArray[np.float32] | None:
    """Whole numbers from 0 to 255, as images have them, three times as fast; None where there are others."""
    try:
        return np.frombuffer(bytes(items), np.uint8).astype(np.float32)
    except ValueError:
        return None


def _whole_numbers(items: list[Any], types: set[type]) -> NDArray[np.int64]:
    if types != {int} or not -(2**63) <= min(items) <= max(items) < 2**63:
        raise PydanticCustomError("tensor", "Input should hold whole numbers of 64 bits only")
    return np.fromiter(items, np.int64, len(items))


def _flattened(value: object) -> tuple[list[int], list[tuple[list[Any], set[type]]]]:
    """The shape of nested lists, and their items in blocks, each with the types in it; a list is nested too deep."""
    if not isinstance(value, list):
        raise PydanticCustomError("tensor", "Input should be a number array, nested row by row")
    if not value:
        raise PydanticCustomError("tensor", "Input has no items")
    rows = max(1, BLOCK // max(1, _size(value[0])))
    parts = [_flattened_rows(value[start : start + rows]) for start in range(0, len(value), rows)]
    shapes = {shape for shape, _, _ in parts}
    if len(shapes) > 1:
        raise PydanticCustomError("tensor", _RAGGED)
    return [len(value), *shapes.pop()], [(items, types) for _, items, types in parts]


def _flattened_rows(items: list[Any]) -> tuple[tuple[int, ...], list[Any], set[type]]:
    """The shape of a row, all that the rows hold, and of what types that is."""
    shape: tuple[int, ...] = ()
    types = set(map(type, items))
    while types == {list}:
        lengths = set(map(len, items))
        if len(lengths) > 1:
            raise PydanticCustomError("tensor", _RAGGED)
        shape += tuple(lengths)
        items = list(chain.from_iterable(items))
        types = set(map(type, items))
    if not items:
        raise PydanticCustomError("tensor", "Input has no items")
    return shape, items, types


def _size(row: Any) -> int:
    """How many items a row has, if it is as its first one."""
    size = 1
    while isinstance(row, list) and row:
        size, row = size * len(row), row[0]
    return size


Tensor = Annotated[
    NDArray[np.float32],
    BeforeValidator(tensor),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [{"type": "number"}, {"type": "null"}, {"type": "array", "items": {}}]},
            "description": "numbers, nested row by row; in answers null stands for a value that is not finite",
        }
    ),
]
