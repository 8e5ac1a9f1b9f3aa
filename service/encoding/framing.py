"""The inference protocol's bodies: a JSON object, and behind it the raw tensors that it announces."""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from service.errors import InvalidInput, MalformedBody

DATATYPES: dict[str, np.dtype[Any]] = {"FP32": np.dtype("<f4"), "INT64": np.dtype("<i8")}

Tensor = NDArray[Any]


class Frame(NamedTuple):
    """The JSON object as bytes, and the bytes behind it."""

    head: memoryview
    rest: memoryview


def take_apart(body: bytes | bytearray, announced: str | None) -> Frame:
    """`announced` is the header that says how long the JSON is; without it, all of the body is JSON."""
    whole = memoryview(body)
    if announced is None:
        return Frame(whole, whole[:0])
    if not (announced.isascii() and announced.isdecimal()) or int(announced[:18]) > len(whole):
        raise MalformedBody("Inference-Header-Content-Length is no number of bytes that the body has")
    return Frame(whole[: int(announced)], whole[int(announced) :])


def split(rest: memoryview, sizes: Sequence[int]) -> list[memoryview]:
    """The bytes of each tensor; MalformedBody unless they are all there, and nothing else."""
    if sum(sizes) != len(rest):
        raise MalformedBody(f"{len(rest):,} bytes follow the JSON; its binary tensors take {sum(sizes):,}")
    parts, start = [], 0
    for size in sizes:
        parts.append(rest[start : start + size])
        start += size
    return parts


def from_bytes(content: memoryview, datatype: str, shape: Sequence[int]) -> Tensor:
    """A tensor from its little-endian bytes, row by row; nothing is allocated before their number is seen to fit."""
    dtype = DATATYPES[datatype]
    if len(content) != dtype.itemsize * prod(shape):
        raise InvalidInput(f"a tensor has {len(content):,} bytes; its shape and datatype need another number")
    array: Tensor = np.frombuffer(content, dtype).reshape(shape).astype(dtype.newbyteorder("="))
    if not np.isfinite(array).all():
        raise InvalidInput("a tensor holds a value that is not finite")
    return array


def put_together(answer: dict[str, Any], tensors: Sequence[Tensor]) -> tuple[bytes, int]:
    """A body, and how many bytes of it are JSON; what is not finite there is null."""
    head = orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)
    return b"".join([head, *(tensor.tobytes() for tensor in tensors)]), len(head)
