"""Tensors of JSON bodies that are read apart from the rest, without an object a number or some rows at a time."""

import re
import secrets
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

from service.encoding import digits, rows

_SMALL = 512  # bytes; fewer are sooner parsed than looked through
_KEYS = (b'"x":', b'"mask":')
_OPENING = re.compile(rb" ?\[")
_NONCE = secrets.token_hex().encode()

Tensors = dict[str, NDArray[np.float32]]


def take_out(body: bytes | bytearray) -> tuple[bytes | bytearray, Tensors]:
    """The body with a stand-in for each tensor that could be read, as deep as it, and these tensors; {} if none could.

    A parser finds in the one what it finds in the other if it finds every stand-in as the value of its own key; that
    `put_back` finds out. What looks like a key may be text of a string, stand in another object, or come again.
    """
    tensors: Tensors = {}
    rest = body
    for key in _KEYS if len(body) >= _SMALL else ():
        place = rest.find(key)
        opening = _OPENING.match(rest, place + len(key)) if place >= 0 else None
        if opening is None:
            continue
        start = opening.end() - 1
        if found := digits.read(rest, start) or rows.read(rest, start):
            name, view = key[1:-2].decode(), memoryview(rest)
            tensors[name], end = found
            rest = b"".join([view[:start], _stand_in(name, tensors[name]), view[end:]])
    return (rest, tensors) if tensors and rest.count(_NONCE) == len(tensors) else (body, {})


def put_back(fields: Any, tensors: Tensors) -> bool:
    """Whether all of them had their places among the fields; there they are then."""
    if not isinstance(fields, dict):
        return False
    if any(fields.get(name) != orjson.loads(_stand_in(name, tensor)) for name, tensor in tensors.items()):
        return False
    fields.update(tensors)
    return True


def _stand_in(name: str, tensor: NDArray[np.float32]) -> bytes:
    return b'%b"%b%b"%b' % (b"[" * tensor.ndim, _NONCE, name.encode(), b"]" * tensor.ndim)
