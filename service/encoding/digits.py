"""A tensor of single digits in a JSON body, as binary images are: read from the bytes, without an object a number."""

import re

import numpy as np
from numpy.typing import NDArray

_OPENING = re.compile(rb"\[{2,8}(?=[0-9][],])")


def read(body: bytes | bytearray, start: int) -> tuple[NDArray[np.float32], int] | None:
    """The array that begins with the bracket at `start`, and its end; None if it would be written otherwise."""
    opening = _OPENING.match(body, start)
    if opening is None:
        return None
    first = opening.end()
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
