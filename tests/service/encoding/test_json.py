"""What JSON may bring in, and what leaves as JSON."""

import json

import numpy as np
import orjson
import pytest
from pydantic import BaseModel, ConfigDict

from service.encoding.json import dump, parse
from service.encoding.nested import Tensor
from service.errors import MalformedBody


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    x: Tensor


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
    again = Holder.model_validate(parse(dump(Holder(x=values)))).x
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
