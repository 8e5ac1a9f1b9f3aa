"""JSON bodies, parsed from bytes and written straight from arrays."""

from contextlib import suppress
from typing import Any

import numpy as np
import orjson
from pydantic import BaseModel

from service.encoding import apart
from service.encoding.nested import BLOCK
from service.errors import MalformedBody

_DEEPEST = 32
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def parse(body: bytes | bytearray) -> Any:
    """A JSON body; MalformedBody if it is none, or is nested deeper than 32 (brackets in strings count as well).

    Some tensors are arrays already: those that `apart` could read.
    """
    rest, tensors = apart.take_out(body)
    if tensors:
        with suppress(MalformedBody):
            fields = _parse(rest)
            if apart.put_back(fields, tensors):
                return fields
    return _parse(body)


def _parse(body: bytes | bytearray) -> Any:
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
    fields = answer.model_dump(exclude_unset=True)
    return orjson.dumps({name: in_blocks(value) for name, value in fields.items()}, option=orjson.OPT_SERIALIZE_NUMPY)


def in_blocks(value: Any) -> Any:
    """A large array as the JSON that it becomes, written block by block; anything else as it is."""
    if not isinstance(value, np.ndarray) or value.size <= BLOCK:
        return value
    step = max(1, BLOCK * len(value) // value.size)
    blocks = [
        orjson.dumps(value[start : start + step], option=orjson.OPT_SERIALIZE_NUMPY)[1:-1]
        for start in range(0, len(value), step)
    ]
    return orjson.Fragment(b"[" + b",".join(blocks) + b"]")
