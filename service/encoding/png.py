"""One PNG in: its header is checked before anything is unpacked, and every byte of it before it is believed."""

import struct
import zlib
from io import BytesIO
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from service.errors import BodyTooLarge, InvalidInput, LimitExceeded, MalformedBody

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_IHDR = struct.Struct(">8sI4sIIBBBBB4s")
_CHANNELS = {(depth, 0): 1 for depth in (1, 2, 4, 8)} | {(8, 2): 3}  # by depth and colour type
_MODES = {1: "L", 3: "RGB"}
_MOST_PIXELS = 4_000_000
_CHANGING = {b"acTL": "is animated", b"tRNS": "has transparency"}
_CRITICAL = (b"IHDR", b"PLTE", b"IDAT", b"IEND")  # others that begin with a capital may not be passed over

Image.MAX_IMAGE_PIXELS = _MOST_PIXELS


class Header(NamedTuple):
    """What a PNG's first chunk says."""

    width: int
    height: int
    depth: int
    channels: int

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width) of grey levels, (3, height, width) of colours."""
        size = (self.height, self.width)
        return size if self.channels == 1 else (self.channels, *size)

    @property
    def unpacked_bytes(self) -> int:
        """Of the rows, each behind the number of its filter."""
        return self.height * (1 + (self.width * self.channels * self.depth + 7) // 8)


def header(body: bytes | bytearray) -> Header:
    """MalformedBody if it is no PNG; InvalidInput, LimitExceeded or BodyTooLarge if it is not to be unpacked."""
    if len(body) < _IHDR.size or body[:8] != _SIGNATURE:
        raise MalformedBody("the body is no PNG")
    _, length, kind, width, height, depth, colour, _, _, interlace, _ = _IHDR.unpack_from(body)
    if (length, kind) != (13, b"IHDR") or not width or not height:
        raise MalformedBody("the PNG does not begin with its header")
    if (depth, colour) not in _CHANNELS or interlace:
        raise InvalidInput("the PNG has to be grey (up to 8 bits) or RGB (8 bits): no palette, no alpha, no interlace")
    if width * height > _MOST_PIXELS:
        raise LimitExceeded(f"pixels: {width * height:,} is over the limit of {_MOST_PIXELS:,}")
    found = Header(width, height, depth, _CHANNELS[depth, colour])
    if len(body) > 2 * found.unpacked_bytes + 2**16:
        raise BodyTooLarge("the PNG is larger than an image of its size can need; strip what it holds besides")
    return found


def pixels(body: bytes | bytearray, says: Header) -> NDArray[np.uint8]:
    """The image, 0 ... 255 in the header's shape; MalformedBody if any of it is broken. Meant to run in a thread.

    Pillow fills in rows that are missing and checks no digest of data, so that it is given only what has been checked.
    """
    data = _compressed(body)
    unpacking = zlib.decompressobj()
    try:
        rows = unpacking.decompress(data, says.unpacked_bytes + 1)
        if len(rows) != says.unpacked_bytes or not unpacking.eof or unpacking.unused_data:
            raise MalformedBody("the PNG does not hold as many rows as it says")
        clean = BytesIO(bytes(body[: _IHDR.size]) + chunk(b"IDAT", data) + chunk(b"IEND", b""))
        with Image.open(clean, formats=["PNG"]) as image:
            decoded = np.asarray(image.convert(_MODES[says.channels]))
    except (OSError, SyntaxError, ValueError, zlib.error) as error:
        raise MalformedBody("the PNG cannot be unpacked") from error
    return decoded if says.channels == 1 else np.moveaxis(decoded, -1, 0)


def _compressed(body: bytes | bytearray) -> bytes:
    """The rows as they came: the contents of the IDAT chunks. Each chunk's digest is checked."""
    data = []
    at, kind = 8, b""
    while at < len(body) and kind != b"IEND":
        end = at + 12 + int.from_bytes(body[at : at + 4], "big")
        kind = bytes(body[at + 4 : at + 8])
        if end > len(body) or zlib.crc32(body[at + 4 : end - 4]) != int.from_bytes(body[end - 4 : end], "big"):
            raise MalformedBody("the PNG is broken: a chunk's digest is not that of its content")
        if kind in _CHANGING:
            raise InvalidInput(f"the PNG {_CHANGING[kind]}; one plain image is needed")
        if (kind not in _CRITICAL and kind[0] & 32 == 0) or (kind == b"IHDR" and at != 8):
            raise MalformedBody("the PNG holds a chunk that does not belong there")
        if kind == b"IDAT":
            data.append(bytes(body[at + 8 : end - 4]))
        at = end
    if kind != b"IEND" or at != len(body):
        raise MalformedBody("the PNG does not end where it should")
    return b"".join(data)


def chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG, its length before and its digest behind it."""
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")
