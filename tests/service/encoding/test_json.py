"""What JSON may bring in, and what leaves as JSON."""

import json

import numpy as np
import orjson
import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from service.encoding.json import Tensor, dump, parse
from service.errors import MalformedBody


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    x: Tensor


def tensor(value):
    return Holder(x=value).x


@pytest.mark.parametrize(
    ("value", "shape"), [([1], (1,)), ([[1, 2.5]], (1, 2)), ([[[0]], [[1]]], (2, 1, 1)), ([[1], [2**64 - 1]], (2, 1))]
)
def test_nested_lists_become_arrays_of_their_shape(value, shape):
    array = tensor(value)
    assert array.shape == shape
    assert array.dtype == np.float32
    assert (array == np.array(value, np.float32)).all()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([[1], [True]], "numbers only"),
        ([False], "numbers only"),
        ([None], "numbers only"),
        (["1"], "numbers only"),
        ([{}], "numbers only"),
        ([1, [1]], "numbers only"),
        ([[1], 1], "numbers only"),
        ([[1, 2], [3]], "ragged"),
        ([[[1]], [[1], [2]]], "ragged"),
        ([[], [1]], "ragged"),
        ([], "no items"),
        ([[], []], "no items"),
        ([1e39], "beyond single precision"),
        ([-1e39], "beyond single precision"),
        ([3.4028236e38], "beyond single precision"),
        (1, "number array"),
        ("[1]", "number array"),
        (None, "number array"),
        ({"0": 1}, "number array"),
    ],
)
def test_what_is_no_tensor_is_refused(value, complaint):
    with pytest.raises(ValidationError, match=complaint) as refused:
        tensor(value)
    assert refused.value.error_count() == 1


@pytest.mark.parametrize("values", [[0, 255], [-1, 256], [0, 2**24 + 1, -(2**70)], [0, 0.5], [-0.0, 1]])
def test_numbers_of_any_kind_become_the_nearest_singles(values):
    assert tensor([values]).tobytes() == np.array([[float(value) for value in values]], np.float32).tobytes()


def test_largest_single_is_taken():
    assert tensor([3.4028234e38]) == np.finfo(np.float32).max


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"{}{}",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": Infinity}',
        b'{"a": -Infinity}',
        b'{"a": 1e400}',
        b'{"a": 01}',
        b'{"a": "\\ud800"}',
        b'{"\\udfff": 1}',
        b'{"a": "\xff"}',
        b"\xef\xbb\xbf{}",
        '{"a": 1}'.encode("utf-16"),
        b"[" * 33 + b"]" * 33,
        b'{"a":' * 33 + b"1" + b"}" * 33,
        b"[" * 100_000,
    ],
)
def test_what_is_no_json_is_malformed(body):
    with pytest.raises(MalformedBody):
        parse(body)


def test_thirty_two_deep_is_allowed():
    assert parse(b"[" * 32 + b"]" * 32)
    assert parse(b"[" + b"[],{}," * 1000 + b"[]]")


def test_last_of_duplicate_keys_wins():
    assert parse(b'{"a": 1, "a": 2}') == {"a": 2}


def test_every_single_comes_back_bit_for_bit():
    bits = np.random.default_rng(0).integers(0, 2**32, 10_000, dtype=np.uint32)
    values = bits.view(np.float32)
    values = np.concatenate([values[np.isfinite(values)], np.float32([-0.0, 1e-45, 3.4028235e38, 1 / 3])])
    again = tensor(parse(dump(Holder(x=values)))["x"])
    assert again.tobytes() == values.tobytes()


def test_what_is_not_finite_leaves_as_null():
    written = dump(Holder(x=np.float32([[1, np.nan], [np.inf, -np.inf]])))
    assert json.loads(written, parse_constant=pytest.fail) == {"x": [[1.0, None], [None, None]]}


def test_arrays_that_are_views_leave_whole():
    whole = np.arange(12, dtype=np.float32).reshape(4, 3)
    for part in np.split(whole, [1, 3]):
        assert orjson.loads(dump(Holder(x=part)))["x"] == part.tolist()


def test_fields_that_were_never_set_do_not_leave():
    class Optional(Holder):
        reasons: list[str] = []

    assert parse(dump(Optional(x=np.float32([0])))) == {"x": [0]}
