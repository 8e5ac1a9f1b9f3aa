"""Tensors of single digits in JSON bodies, as binary images are: read from the bytes, without an object a number."""

import re
import secrets
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

_SMALL = 512  # bytes; fewer are sooner parsed than looked through
_KEYS = (b'"x":', b'"mask":')
_OPENING = re.compile(rb" ?(\[{2,8})(?=[0-9][],])")
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
        found = _read(rest, *opening.span(1)) if opening else None
        if opening and found:
            name, view = key[1:-2].decode(), memoryview(rest)
            tensors[name], end = found
            rest = b"".join([view[: opening.start(1)], _stand_in(name, tensors[name]), view[end:]])
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
