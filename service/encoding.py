"""Tensors to and from the wire; npy, PNG and NDJSON will have their place here."""

from itertools import chain
from typing import Annotated, Any

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic import BaseModel, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.errors import MalformedBody

_DEEPEST = 32
_OPENING, _CLOSING = (np.frombuffer(brackets, np.uint8) for brackets in (b"[{", b"]}"))


def parse(body: bytes) -> Any:
    """A JSON body; MalformedBody if it is none, or is nested deeper than 32 (brackets in strings count as well)."""
    # Few brackets cannot be deep: counting costs less than a walk.
    if body.count(b"[") + body.count(b"{") > _DEEPEST and _depth(body) > _DEEPEST:
        raise MalformedBody(f"the body is nested deeper than {_DEEPEST}")
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody("the body is not JSON in UTF-8 (NaN and infinities are not JSON)") from error


def _depth(body: bytes) -> int:
    letters = np.frombuffer(body, np.uint8)
    depth = np.isin(letters, _OPENING).astype(np.int32) - np.isin(letters, _CLOSING)
    return int(depth.cumsum(dtype=np.int32).max())


def dump(answer: BaseModel) -> bytes:
    """JSON straight from the arrays; what is not finite leaves as null, fields that were never set do not leave."""
    return orjson.dumps(answer.model_dump(exclude_unset=True), option=orjson.OPT_SERIALIZE_NUMPY)


def _tensor(value: object) -> NDArray[np.float32]:
    """Nested lists of numbers as a float32 array; booleans, ragged lists and numbers beyond float32 are refused."""
    if isinstance(value, np.ndarray):
        return value
    if not isinstance(value, list):
        raise PydanticCustomError("tensor", "Input should be a number array, nested row by row")
    shape = [len(value)]
    items = value
    while items and (kinds := set(map(type, items))) == {list}:
        lengths = set(map(len, items))
        if len(lengths) > 1:
            raise PydanticCustomError("tensor", "Input is ragged: lists of one depth have different lengths")
        shape += lengths
        items = list(chain.from_iterable(items))
    if not items:
        raise PydanticCustomError("tensor", "Input has no items")
    if not kinds <= {int, float}:
        raise PydanticCustomError("tensor", "Input should hold numbers only, each list nested as deep as the others")
    with np.errstate(over="ignore"):
        array = np.fromiter(items, np.float64, len(items)).astype(np.float32)
    if not np.isfinite(array).all():
        raise PydanticCustomError("tensor", "Input holds a number beyond single precision")
    return array.reshape(shape)


Tensor = Annotated[
    NDArray[np.float32],
    BeforeValidator(_tensor),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [{"type": "number"}, {"type": "null"}, {"type": "array", "items": {}}]},
            "description": "numbers, nested row by row; in answers null stands for a value that is not finite",
        }
    ),
]
