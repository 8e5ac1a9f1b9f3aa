"""PNG: what a header must say before anything is unpacked, and that nothing broken is made up for."""

import struct
import tracemalloc
import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from service.encoding import png
from service.errors import BodyTooLarge, InvalidInput, LimitExceeded, MalformedBody

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind, content):
    return len(content).to_bytes(4, "big") + kind + content + zlib.crc32(kind + content).to_bytes(4, "big")


def image(width=4, height=3, depth=8, colour=0, *, data=None, more=b"", interlace=0):
    """A PNG made by hand; of grey zeros unless the packed rows are given."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1)
    rows = bytes((1 + (width * channels * depth + 7) // 8) * height) if data is None else data
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)
    return SIGNATURE + chunk(b"IHDR", header) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def saved(pixels, **options):
    file = BytesIO()
    Image.fromarray(np.asarray(pixels, np.uint8)).save(file, "PNG", **options)
    return file.getvalue()


def read(body):
    return png.pixels(body, png.header(body))


def test_grey_image_is_of_height_and_width():
    pixels = np.arange(12).reshape(3, 4)
    body = saved(pixels)
    assert png.header(body).shape == (3, 4)
    assert (read(body) == pixels).all()


def test_colour_image_has_its_channels_first():
    pixels = np.arange(36).reshape(3, 4, 3)
    body = saved(pixels)
    assert png.header(body).shape == (3, 3, 4)
    assert (read(body) == np.moveaxis(pixels, -1, 0)).all()


@pytest.mark.parametrize(
    ("depth", "row", "expected"),
    [(1, b"\x00\xa0", [255, 0, 255, 0]), (2, b"\x00\x1b", [0, 85, 170, 255]), (4, b"\x00\x01\x2f", [0, 17, 34, 255])],
)
def test_few_bits_span_the_whole_range(depth, row, expected):
    body = image(4, 1, depth, data=row)
    assert read(body).tolist() == [expected]


@pytest.mark.parametrize("filters", [range(1), range(1, 2), range(2, 3), range(3, 4), range(4, 5), range(5)])
def test_every_filter_is_undone(filters):
    """By their definitions in the PNG specification (section 9), applied here to known pixels."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (10, 6))
    kinds = np.resize(filters, 10)
    left, up, corner = (np.pad(pixels, ((1, 0), (1, 0)))[rows, columns] for rows, columns in BEFORE)
    p = left + up - corner
    away = np.stack([abs(p - left), abs(p - up), abs(p - corner)])
    paeth = np.choose(away.argmin(0), [left, up, corner])
    guesses = np.stack([np.zeros_like(pixels), left, up, (left + up) // 2, paeth])
    filtered = (pixels - guesses[kinds, np.arange(10)]) % 256
    data = b"".join(bytes([kind, *row]) for kind, row in zip(kinds, filtered.tolist(), strict=True))
    assert (read(image(6, 10, data=data)) == pixels).all()


BEFORE = [np.s_[1:, :-1], np.s_[:-1, 1:], np.s_[:-1, :-1]]


BROKEN = {
    "nothing": b"",
    "half a header": image()[:20],
    "a JPEG": b"\xff\xd8\xff\xe0" + bytes(100),
    "a GIF": b"GIF89a" + bytes(100),
    "another first chunk": SIGNATURE + chunk(b"tEXt", bytes(13)) + image()[8:],
    "a longer first chunk": SIGNATURE + chunk(b"IHDR", bytes(14)) + image()[33:],
    "no width": image(width=0),
    "no height": image(height=0),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_begin_as_a_png_is_malformed(name):
    with pytest.raises(MalformedBody):
        png.header(BROKEN[name])


def flipped(body, at):
    changed = bytearray(body)
    changed[at] ^= 1
    return changed


UNDECODABLE = {
    "no data": image(data=b""),
    "too few rows": image(data=bytes(10)),
    "cut in the data": image()[:-20],
    "nothing behind the header": image()[:33],
    "a header with another digest": flipped(image(), 30),
    "data with another digest": flipped(image(), -13),
    "an unknown filter": image(1, 1, data=b"\x09\x00"),
    "an unknown chunk that must be known": image(more=chunk(b"ABCD", b"")),
    "too many rows": image(data=bytes(20)),
    "bytes behind the rows": SIGNATURE
    + image()[8:33]
    + chunk(b"IDAT", zlib.compress(bytes(15)) + b"more")
    + chunk(b"IEND", b""),
    "bytes behind the end": image() + b"more",
    "a second image": image() + image(),
    "a second header": image(more=image()[8:33]),
    "no end": image()[:-12],
    "data that are not compressed": SIGNATURE + image()[8:33] + chunk(b"IDAT", bytes(15)) + chunk(b"IEND", b""),
}


@pytest.mark.parametrize("name", UNDECODABLE)
def test_what_cannot_be_decoded_is_malformed(name):
    with pytest.raises(MalformedBody):
        read(UNDECODABLE[name])


@pytest.mark.parametrize(("depth", "colour"), [(8, 3), (8, 4), (8, 6), (16, 0), (16, 2), (8, 1), (3, 0), (8, 7)])
def test_other_kinds_of_png_are_told_those_that_are_taken(depth, colour):
    with pytest.raises(InvalidInput, match="grey"):
        png.header(image(depth=depth, colour=colour))


def test_interlaced_image_is_refused():
    with pytest.raises(InvalidInput, match="no interlace"):
        png.header(image(interlace=1))


def test_transparency_is_refused():
    with pytest.raises(InvalidInput, match="transparency"):
        read(image(more=chunk(b"tRNS", b"\0\0")))


@pytest.mark.parametrize(
    "beside",
    [
        pytest.param(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**22))), id="a text that unpacks to much"),
        pytest.param(chunk(b"iCCP", b"a\0\1"), id="a broken profile"),
        pytest.param(chunk(b"gAMA", bytes(4)), id="a gamma of nothing"),
        pytest.param(chunk(b"abcd", bytes(99)), id="anything"),
    ],
)
def test_what_stands_beside_the_image_is_not_looked_at(beside):
    assert (read(image(more=beside)) == 0).all()


def test_animation_is_refused():
    frames = [Image.fromarray(np.full((3, 4), level, np.uint8)) for level in (0, 255)]
    file = BytesIO()
    frames[0].save(file, "PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidInput, match="animated"):
        read(file.getvalue())


def test_image_over_four_megapixels_is_over_a_limit():
    with pytest.raises(LimitExceeded, match="limit of 4,000,000"):
        png.header(image(2001, 2000, data=b""))
    assert png.header(image(2000, 2000, data=b"")).shape == (2000, 2000)


def test_bomb_is_refused_by_its_first_bytes():
    """Fewer than 200 bytes that say 13000 x 13000 colours would decode to half a gigabyte."""
    body = image(13_000, 13_000, 8, 2, data=bytes(39_001))
    assert len(body) < 200
    tracemalloc.start()
    try:
        with pytest.raises(LimitExceeded):
            png.header(body)
        assert tracemalloc.get_traced_memory()[1] < 2**16
    finally:
        tracemalloc.stop()


def test_bytes_that_no_image_of_the_size_needs_are_too_many():
    """Else a file of millions of empty chunks would be walked through."""
    with pytest.raises(BodyTooLarge):
        png.header(image(more=chunk(b"tEXt", b"") * 10_000))
    assert read(image(more=chunk(b"tEXt", b"a\0b") * 100)).shape == (3, 4)


def test_three_thousand_mutants_are_read_or_refused():
    rng = np.random.default_rng(0)
    whole = saved(rng.integers(0, 256, (3, 4)))
    refused = 0
    for _ in range(3_000):
        body = bytearray(whole)
        for at in rng.integers(8, len(body), rng.integers(1, 7)):
            body[at] = rng.integers(256)
        body = body[: rng.integers(len(body)) if rng.random() < 0.2 else None]
        try:
            says = png.header(body)
            if says.shape == (3, 4):
                png.pixels(body, says)
        except (MalformedBody, InvalidInput, LimitExceeded):
            refused += 1
    assert refused > 2_000
