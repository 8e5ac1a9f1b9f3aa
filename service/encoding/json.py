"""JSON bodies: parsed from bytes, tensors made arrays without an object a number outliving it."""

from itertools import chain
from typing import Annotated, Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.errors import MalformedBody

_DEEPEST = 32
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse(body: bytes | bytearray) -> Any:
    """A JSON body; MalformedBody if it is none, or is nested deeper than 32 (brackets in strings count as well)."""
    # Few brackets cannot be deep: counting costs less than a walk.
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _depth(body) > _DEEPEST:
        raise MalformedBody(f"the body is nested deeper than {_DEEPEST}")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody("the body is not JSON in UTF-8 (NaN and infinities are not JSON)") from error


def _depth(body: bytes | bytearray) -> int:
    brackets = np.frombuffer(body.translate(None, _ALL_BUT_BRACKETS), np.int8)
    return int(((brackets & 2) - 1).cumsum(dtype=np.int32).max())  # the bit that is set in [ and {, not in ] and }


def dump(answer: BaseModel) -> bytes:
    """JSON straight from the arrays; what is not finite leaves as null, fields that were never set do not leave."""
    return orjson.dumps(answer.model_dump(exclude_unset=True), option=orjson.OPT_SERIALIZE_NUMPY)


def tensor(value: object) -> NDArray[np.float32]:
    """Nested lists of numbers as a float32 array; booleans, ragged lists and numbers beyond float32 are refused."""
    if isinstance(value, np.ndarray):
        return value
    shape, items, types = _flattened(value)
    if not types <= {int, float}:
        raise PydanticCustomError("tensor", "Input should hold numbers only, each list nested as deep as the others")
    array = _octets(items) if types == {int} else None
    if array is None:
        with np.errstate(over="ignore"):
            array = np.fromiter(items, np.float64, len(items)).astype(np.float32)
        if not np.isfinite(array).all():
            raise PydanticCustomError("tensor", "Input holds a number beyond single precision")
    return array.reshape(shape)


def integers(value: object) -> NDArray[np.int64]:
    """Nested lists of whole numbers as an int64 array."""
    shape, items, types = _flattened(value)
    if types != {int} or not -(2**63) <= min(items) <= max(items) < 2**63:
        raise PydanticCustomError("tensor", "Input should hold whole numbers of 64 bits only")
    return np.fromiter(items, np.int64, len(items)).reshape(shape)


def _flattened(value: object) -> tuple[list[int], list[Any], set[type]]:
    """The shape of nested lists, their items, and of what types those are; lists among them are nested too deep."""
    if not isinstance(value, list):
        raise PydanticCustomError("tensor", "Input should be a number array, nested row by row")
    shape = [len(value)]
    items, types = value, set(map(type, value))
    while types == {list}:
        lengths = set(map(len, items))
        if len(lengths) > 1:
            raise PydanticCustomError("tensor", "Input is ragged: lists of one depth have different lengths")
        shape += lengths
        items = list(chain.from_iterable(items))
        types = set(map(type, items))
    if not items:
        raise PydanticCustomError("tensor", "Input has no items")
    return shape, items, types


def _octets(items: list[int]) -> NDArray[np.float32] | None:
    """Whole numbers from 0 to 255, as images have them, three times as fast; None where there are others."""
    try:
        return np.frombuffer(bytes(items), np.uint8).astype(np.float32)
    except ValueError:
        return None


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
