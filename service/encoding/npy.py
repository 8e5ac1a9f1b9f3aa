"""The npy format (NumPy Enhancement Proposal 1), read without numpy.load, which also opens zip and pickle."""

import re
from functools import lru_cache
from io import BytesIO
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.errors import InvalidInput, MalformedBody

_MAGIC = b"\x93NUMPY"
_LENGTH_BYTES = {b"\x01\x00": 2, b"\x02\x00": 4}  # of the header's length, by version
_LONGEST_HEADER = 256
_TYPES = {"<f4": "<f4", "<f8": "<f8", "<i8": "<i8", "|u1": "|u1", "<u1": "|u1"}

_PART = re.compile(
    r"""\s*(['"])(?P<key>\w+)\1\s*:\s*
    (?P<value>(['"])[^'"]*\4|True|False|\(\s*(?:[0-9]+\s*(?:,\s*[0-9]+\s*)*,?\s*)?\))\s*(?:,|$)""",
    re.VERBOSE,
)
_KEYS = {"descr", "fortran_order", "shape"}


class Header(NamedTuple):
    """What an npy file says of itself; its values begin at byte `start`."""

    dtype: np.dtype[Any]
    is_fortran: bool
    shape: tuple[int, ...]
    start: int


def header(body: bytes | bytearray) -> Header:
    """MalformedBody if it is no npy file whose length fits its shape; InvalidInput if its type is not taken."""
    if body[:6] != _MAGIC:
        raise MalformedBody("the body is no npy file")
    if (length_bytes := _LENGTH_BYTES.get(bytes(body[6:8]))) is None:
        raise MalformedBody("npy files are taken in version 1.0 and 2.0")
    start = 8 + length_bytes
    start += int.from_bytes(body[8:start], "little")
    if start > 8 + length_bytes + _LONGEST_HEADER:
        raise MalformedBody(f"the npy header is longer than {_LONGEST_HEADER} bytes")
    fields = _fields(bytes(body[8 + length_bytes : start]))
    kind = fields["descr"][1:-1]
    if kind not in _TYPES:
        raise InvalidInput("the array's type is not taken; array.astype('<f4') is, and so are <f8, <i8 and |u1")
    dtype = np.dtype(_TYPES[kind])
    shape = tuple(int(size) for size in re.findall("[0-9]+", fields["shape"]))
    if len(body) - start != dtype.itemsize * prod(shape):
        raise MalformedBody("the npy file is not as long as its shape and type say")
    return Header(dtype, fields["fortran_order"] == "True", shape, start)


def values(body: bytes | bytearray, says: Header) -> NDArray[np.float32]:
    """The values in single precision, row by row; InvalidInput if one of them is not finite there."""
    array = np.frombuffer(body, says.dtype, offset=says.start)
    array = array.reshape(says.shape, order="F" if says.is_fortran else "C")
    with np.errstate(over="ignore"):
        single = array.astype(np.float32, order="C")
    if not np.isfinite(single).all():
        raise InvalidInput("the array holds a value that is not finite in single precision")
    return single


def write(array: NDArray[Any]) -> tuple[bytes, memoryview]:
    """An npy file in version 1.0, its header and its values where they are; those not finite leave as they are."""
    array = np.ascontiguousarray(array)
    return _head(array.dtype.str, array.shape), array.reshape(-1).view(np.uint8).data


@lru_cache
def _head(descr: str, shape: tuple[int, ...]) -> bytes:
    file = BytesIO()
    np.lib.format.write_array_header_1_0(file, {"descr": descr, "fortran_order": False, "shape": shape})
    return file.getvalue()


def _fields(text: bytes) -> dict[str, str]:
    """The header's dictionary, its values as they are written; no Python is evaluated."""
    inner = text.decode("latin-1").strip()
    found: dict[str, str] = {}
    at = 1
    while part := _PART.match(inner[:-1], at):
        found[part["key"]] = part["value"]
        at = part.end()
    is_whole = inner[:1] == "{" and inner[-1:] == "}" and not inner[at:-1].strip()
    if not is_whole or set(found) != _KEYS or not _are_of_their_kinds(found):
        raise MalformedBody("the npy header is not that of an array of numbers")
    return found


def _are_of_their_kinds(found: dict[str, str]) -> bool:
    return found["descr"][0] in "'\"" and found["fortran_order"] in ("True", "False") and found["shape"][0] == "("
