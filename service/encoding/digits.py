"""Tensors of single digits in JSON bodies, as binary images are: read from the bytes, without an object a number."""

import re
import secrets
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

_SMALL = 512  # bytes; fewer are sooner parsed than looked through
_KEY = re.compile(rb'"(x|mask)"\s*:\s*(\[{2,8})(?=[0-9][],])')
_NONCE = secrets.token_hex().encode()

Tensors = dict[str, NDArray[np.float32]]


def take_out(body: bytes | bytearray) -> tuple[bytes, Tensors]:
    """The body with a stand-in for each tensor that could be read, as deep as it, and these tensors; {} if none could.

    A parser finds in the one what it finds in the other if it finds every stand-in as the value of its own key; that
    `put_back` finds out. A key and its array may be the text of a string, be within another object, or come again.
    """
    tensors: Tensors = {}
    pieces: list[bytes | memoryview] = []
    start = 0
    while len(body) >= _SMALL and (key := _KEY.search(body, start)):
        name, found = key[1].decode(), _read(body, *key.span(2))
        if found is None or name in tensors:
            return b"", {}
        tensors[name] = found[0]
        pieces += memoryview(body)[start : key.start(2)], _stand_in(name, found[0])
        start = found[1]
    if not tensors:
        return b"", {}
    rest = b"".join([*pieces, memoryview(body)[start:]])
    return (rest, tensors) if rest.count(_NONCE) == len(tensors) else (b"", {})


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


def _read(body: bytes | bytearray, start: int, first: int) -> tuple[NDArray[np.float32], int] | None:
    """The array between whose brackets the first digit stands, and its end; None if it would be written otherwise."""
    octets = np.frombuffer(body, np.uint8)
    comma = body.find(b",", first)
    separator = b", " if body[comma + 1 : comma + 2] == b" " else b","
    shape: list[int] = []
    steps: list[int] = []
    text = b"0"  # of the first element, all digits 0: deeper lists first
    for level in range(first - start):
        step = len(text) + len(separator)
        behind = octets[first - level + len(text) :: step]  # what follows each element, if all are as long as the first
        if not len(behind):
            return None
        count = int((behind != ord(",")).argmax()) + 1
        shape, steps = [count, *shape], [step, *steps]
        text = b"[%b]" % ((text + separator) * count)[: -len(separator)]
    digits = np.ndarray(shape, np.uint8, body, first, steps)
    values = digits - np.uint8(ord("0"))
    if values.max() > 9:
        return None
    written = bytearray(text)
    np.ndarray(shape, np.uint8, written, first - start, steps)[...] = digits
    return (values.astype(np.float32), start + len(written)) if body.startswith(written, start) else None
