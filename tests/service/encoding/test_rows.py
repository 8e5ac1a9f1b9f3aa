"""A long tensor means what it means to a parser of the whole body, however few rows are read at a time."""

import json

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from service.encoding import apart, rows
from service.encoding.json import parse
from service.encoding.nested import tensor
from service.errors import MalformedBody

NUMBERS = st.one_of(st.integers(-300, 300), st.floats(-1e3, 1e3, width=32))
PIECES = [
    b"",
    b"[",
    b"]",
    b",",
    b" ",
    b"1",
    b"1.0",
    b"true",
    b'"',
    b"{}",
    b"[]",
    b"[[",
    b"]]",
    b"null",
    b"\xff",
    b"1e999",
]
WRONG = (KeyError, TypeError, PydanticCustomError)  # no x, no object, no tensor
LAYOUTS = [{"separators": (",", ":")}, {}, {"indent": 1}]


@pytest.fixture(autouse=True)
def few_at_a_time(monkeypatch):
    monkeypatch.setattr(apart, "_SMALL", 0)
    monkeypatch.setattr(rows, "_LONG", 0)
    monkeypatch.setattr(rows, "_PIECE", 16)


@st.composite
def nested(draw):
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    count = int(np.prod(shape))
    return np.array(draw(st.lists(NUMBERS, min_size=count, max_size=count)), object).reshape(shape).tolist()


def meant(body):
    """The tensor `x`, or how the body is wrong, by the whole of it."""
    try:
        return tensor(orjson.loads(body)["x"]).tolist()
    except (orjson.JSONDecodeError, *WRONG) as error:
        return type(error) is orjson.JSONDecodeError or str(error)


def read(body):
    try:
        return tensor(parse(body)["x"]).tolist()
    except (MalformedBody, *WRONG) as error:
        return type(error) is MalformedBody or str(error)


@given(x=nested(), layout=st.sampled_from(LAYOUTS))
def test_rows_are_what_they_are_in_the_whole(x, layout):
    body = json.dumps({"seed": 1, "x": x, "samples": 2}, **layout).encode()
    assert read(body) == meant(body) == np.array(x, np.float32).tolist()


@given(x=nested(), layout=st.sampled_from(LAYOUTS), data=st.data())
def test_other_bytes_mean_what_they_mean_in_the_whole(x, layout, data):
    body = json.dumps({"x": x, "seed": 1}, **layout).encode()
    place = data.draw(st.integers(0, len(body)))
    width = data.draw(st.integers(0, 2))
    body = body[:place] + data.draw(st.sampled_from(PIECES)) + body[place + width :]
    assert read(body) == meant(body)


@pytest.mark.parametrize("body", [b'{"x":[', b'{"x":[[1.5],[2.5]', b'{"x":' + b"[" * 99])
def test_what_has_no_end_is_no_tensor(body):
    assert apart.take_out(body) == (body, {})


def test_no_more_than_a_piece_and_a_row_is_parsed_before_others_have_a_moment(monkeypatch):
    seen, moments, loads = [], [], orjson.loads
    monkeypatch.setattr(rows.time, "sleep", lambda seconds: moments.append(len(seen)))
    monkeypatch.setattr(rows, "_PIECE", 1000)
    monkeypatch.setattr("service.encoding.rows.orjson.loads", lambda text: seen.append(len(text)) or loads(text))
    x = np.random.default_rng(0).random((50, 5, 5)).round(3)
    body = json.dumps({"x": x.tolist()}).encode()
    assert (parse(body)["x"] == x.astype(np.float32)).all()
    longest_row = max(len(json.dumps(row)) for row in x.tolist())
    assert max(seen) <= 1000 + longest_row + 4
    assert len(moments) > 5
    assert moments == [*range(1, len(moments) + 1)]


def test_short_tensors_are_left_to_the_parser(monkeypatch):
    monkeypatch.setattr(rows, "_LONG", 100)
    body = b'{"x":[1.5,2.5],"seed":1}'
    assert apart.take_out(body) == (body, {})
