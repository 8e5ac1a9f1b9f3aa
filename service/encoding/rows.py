"""A long tensor of a JSON body, read some rows at a time: while a parser has it all, nobody else comes in."""

import time
from itertools import pairwise

import numpy as np
import orjson
from numpy.typing import NDArray
from pydantic_core import PydanticCustomError

from service.encoding.nested import tensor

_LONG = 2**17  # bytes; what is shorter is soon parsed
_SPACE = b" \t\n\r"
_MOMENT = 1e-5  # seconds
_PIECE = 2**16  # bytes that are parsed in one go, and more until a row ends


def read(body: bytes | bytearray, start: int) -> tuple[NDArray[np.float32], int] | None:
    """The array that begins with the bracket at `start`, and its end; None if it is short, or no list of rows."""
    if len(body) - start < _LONG:
        return None
    octets = np.frombuffer(body, np.uint8, offset=start)
    brackets = np.flatnonzero((octets == ord("[")) | (octets == ord("]")))
    steps = np.where(octets[brackets] == ord("["), np.int8(1), np.int8(-1))
    depth = np.cumsum(steps, dtype=np.int32)
    last = int((depth == 0).argmax())
    end = start + int(brackets[last]) + 1
    if depth[last] or body.find(b'"', start, end) >= 0:
        return None
    row_ends = start + 1 + brackets[1:last][depth[1:last] == 1]
    if not len(row_ends) or body[row_ends[-1] : end - 1].strip(_SPACE):
        return None
    try:
        return np.concatenate([_read_piece(bytes(body[first:after])) for first, after in _pieces(start, row_ends)]), end
    except (orjson.JSONDecodeError, PydanticCustomError, ValueError):  # what is wrong the parser of the whole will say
        return None


def _read_piece(text: bytes) -> NDArray[np.float32]:
    """A piece, and then a moment for the others: a thread that calls numpy over and over lets go of the interpreter
    each time, and has it back before one that waits for it has woken up.
    """
    rows = _read_rows(text)
    time.sleep(_MOMENT)
    return rows


def _read_rows(text: bytes) -> NDArray[np.float32]:
    """Rows with the bracket or the comma before them."""
    text = text.lstrip(_SPACE)
    if text[:1] not in (b"[", b","):
        raise ValueError("rows without a comma between them")
    return tensor(orjson.loads(b"[%b]" % text[1:]))


def _pieces(start: int, row_ends: NDArray[np.intp]) -> list[tuple[int, int]]:
    """From where to where the pieces go, each to the end of a row."""
    cuts = [start]
    while (place := int(np.searchsorted(row_ends, cuts[-1] + _PIECE))) < len(row_ends):
        cuts.append(int(row_ends[place]))
    return list(pairwise(cuts if cuts[-1] == row_ends[-1] else [*cuts, int(row_ends[-1])]))
