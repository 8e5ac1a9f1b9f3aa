"""A body is a JSON object and the very bytes that it announces, no more and no fewer."""

import numpy as np
import pytest

from service.encoding import framing
from service.errors import InvalidInput, MalformedBody


def test_body_without_the_header_is_json_alone():
    head, rest = framing.take_apart(b'{"a": 1}', None)
    assert (bytes(head), bytes(rest)) == (b'{"a": 1}', b"")


@pytest.mark.parametrize(("length", "head", "rest"), [("2", b"{}", b"abc"), ("5", b"{}abc", b""), ("0", b"", b"{}abc")])
def test_json_ends_where_the_header_says(length, head, rest):
    assert tuple(map(bytes, framing.take_apart(b"{}abc", length))) == (head, rest)


@pytest.mark.parametrize(
    "length", ["", "6", "-1", "+2", "2.0", "0x2", "1e0", " 2", "two", "\u0662", "\u00b2", "9" * 5000, "2, 2"]
)
def test_header_that_is_no_length_within_the_body_is_malformed(length):
    with pytest.raises(MalformedBody):
        framing.take_apart(b"{}abc", length)


def test_tensors_follow_each_other_in_their_order():
    assert list(map(bytes, framing.split(memoryview(b"aabbbc"), [2, 3, 0, 1]))) == [b"aa", b"bbb", b"", b"c"]


@pytest.mark.parametrize("sizes", [[], [1], [2, 3], [2, 5], [2**40, 1], [3, 4]])
def test_left_over_or_missing_bytes_are_malformed(sizes):
    with pytest.raises(MalformedBody, match="6 bytes follow"):
        framing.split(memoryview(b"aabbbc"), sizes)


def test_bytes_are_little_endian_and_row_by_row():
    content = memoryview(np.arange(6, dtype="<f4").tobytes())
    array = framing.from_bytes(content, "FP32", [2, 3])
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]
    assert framing.from_bytes(memoryview(b"\x02\x01" + bytes(6)), "INT64", [1]).tolist() == [258]


def test_tensor_does_not_share_the_bodys_memory():
    content = bytearray(8)
    array = framing.from_bytes(memoryview(content), "FP32", [2])
    content[:] = b"\xff" * 8
    assert array.tolist() == [0, 0]
    assert array.flags.writeable
    assert array.flags.aligned


@pytest.mark.parametrize("shape", [[3], [2, 2], [1], [2**40], [2**33, 2**33], [2**62, 4], [2**63 + 1, 2]])
def test_shape_that_the_bytes_do_not_fill_is_refused(shape):
    with pytest.raises(InvalidInput, match="8 bytes"):
        framing.from_bytes(memoryview(bytes(8)), "FP32", shape)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_value_that_is_not_finite_is_refused(value):
    with pytest.raises(InvalidInput, match="not finite"):
        framing.from_bytes(memoryview(np.array([0, value], "<f4").tobytes()), "FP32", [2])


def test_body_put_together_comes_apart():
    tensors = [np.float32([[1, 2]]), np.float32([3])]
    body, length = framing.put_together({"data": np.float32([np.nan])}, tensors)
    head, rest = framing.take_apart(body, str(length))
    assert bytes(head) == b'{"data":[null]}'
    parts = framing.split(rest, [8, 4])
    assert framing.from_bytes(parts[0], "FP32", [1, 2]).tolist() == [[1, 2]]
    assert framing.from_bytes(parts[1], "FP32", [1]).tolist() == [3]
