"""Bodies with tensors of single digits mean what they mean to any JSON parser, however they are read."""

import json
from contextlib import suppress

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st

from service.encoding import apart
from service.encoding.json import parse
from service.encoding.nested import tensor
from service.errors import MalformedBody

ROWS = [[0, 1, 1], [1, 0, 9]]
SEPARATORS = [(",", ":"), (", ", ": "), (", ", ":"), (",", ": ")]
PIECES = [
    b"",
    b"[",
    b"]",
    b",",
    b", ",
    b"0",
    b"01",
    b"1.0",
    b"1e0",
    b"-0",
    b'"',
    b"{}",
    b"[]",
    b"[[",
    b"]]",
    b"null",
    b"\xff",
]


@pytest.fixture(autouse=True)
def bodies_of_any_size(monkeypatch):
    monkeypatch.setattr(apart, "_SMALL", 0)


def plain(value):
    """With lists for arrays; to Python, 1.0 is equal to 1."""
    if isinstance(value, np.ndarray):
        assert value.dtype == np.float32
        return value.tolist()
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


def outcome(read, body, error):
    try:
        return plain(read(body))
    except error:
        return "malformed"


def means_the_same(body):
    """To the parser and to what reads digits before it."""
    for kind in (bytes, bytearray):
        assert outcome(parse, kind(body), MalformedBody) == outcome(orjson.loads, body, orjson.JSONDecodeError), body


def is_read_at_once(body):
    fields = parse(body)
    return isinstance(fields, dict) and any(isinstance(value, np.ndarray) for value in fields.values())


tensors = (
    st.lists(st.integers(1, 5), min_size=2, max_size=8)
    .flatmap(
        lambda shape: st.integers(0, 2**32 - 1).map(
            lambda seed: (
                np.random.default_rng(seed).integers(0, 10, shape).tolist()
            )  # faster than a list of integers each
        )
    )
    .filter(lambda rows: len(json.dumps(rows)) < 10_000)
)


@st.composite
def bodies(draw):
    fields = {"seed": 1, "x": draw(tensors), "mask": draw(tensors), "note": 'x"]'}
    kept = draw(st.lists(st.sampled_from(list(fields)), unique=True))
    return json.dumps({name: fields[name] for name in kept}, separators=draw(st.sampled_from(SEPARATORS))).encode()


@budget(max_examples=50)
@given(bodies())
def test_digits_of_any_shape_are_read_at_once(body):
    means_the_same(body)
    fields = parse(body)
    assert all(isinstance(fields[name], np.ndarray) for name in ("x", "mask") if name in fields)


@budget(max_examples=200)
@given(bodies(), st.data())
def test_other_bytes_mean_what_they_mean_to_the_parser(body, data):
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.sampled_from([start, start + 1, start + 2]))
    means_the_same(body[:start] + data.draw(st.sampled_from(PIECES) | st.binary(min_size=1, max_size=1)) + body[end:])


@pytest.mark.parametrize("separators", SEPARATORS)
def test_each_byte_of_a_body_counts(separators):
    body = json.dumps({"x": ROWS, "mask": [[[1]], [[0]]]}, separators=separators).encode()
    assert is_read_at_once(body)
    for place in range(len(body)):
        means_the_same(body[:place])
        for octet in b'0:/5[],. "{}-\\\x00\xb0':
            means_the_same(body[:place] + bytes([octet]) + body[place + 1 :])


@pytest.mark.parametrize(
    "body",
    [
        b'{"x":[[0,1],[1]]}',
        b'{"x":[[0],[1,1]]}',
        b'{"x":[[0,1],1]}',
        b'{"x":[[[0,1]],[[1],[1]]]}',
        b'{"x":[[0,1],[1, 0]]}',
        b'{"x":[[0,1], [1,0]]}',
        b'{"x":[[0 ,1]]}',
        b'{"x" :[[0,1]]}',
        b'{"x":\n[[0,1]]}',
        b'{"x":[[ 0,1]]}',
        b'{"x":[[0,1]}',
        b'{"x":[[0,1]]]}',
        b'{"x":[[0,1],]}',
        b'{"x":[[0,1,]]}',
        b'{"x":[[0,1]]',
        b'{"x":[[0,',
        b'{"x":[[0]',
        b'{"x":[]}',
        b'{"x":[[]]}',
        b'{"x":[[],[0]]}',
        b'{"x":[0,1]}',
        b'{"x":[[00,1]]}',
        b'{"x":[[0,12]]}',
        b'{"x":[[0,true]]}',
        b'{"x":[[[[[[[[[0]]]]]]]]]}',
        b'{"x":[[0,1]],"x":[[1,1]]}',
        b'{"x":[[0,1]],"x":2}',
        b'{"x":[[0,1]],"\\u0078":2}',
        b'{"x":2,"x":[[0,1]],"x":[[0.5]]}',
        b'{"start":{"x":[[0,1]]},"end":{"x":[[1,1]]}}',
        b'{"start":{"x":[[0,1]]},"x":3}',
        b'{"x":{"x":[[0,1]]}}',
        b'{"x":[{"x":[[0,1]]}]}',
        b'{"x":[["x"]],"mask":[["mask"]]}',
        b'{"note":"\\"x\\":[[0,1]]"}',
        b'{"a\\"x":[[0,1]]}',
        b"{" + b'"x":[[0]],' * 1000 + b'"seed":1}',
        b'{"a"x":[[0,1]]}',
        b'{"note":"a","x" [[0,1]]}',
        b'{"x"\x0c:[[0,1]],}',
        b'[{"x":[[0,1]]}]',
        b'["x",[[0,1]]]',
        b'"x":[[0,1]]',
        b'{"x":[[0,1]],"mask":[[0.5,1]],"note":NaN}',
    ],
)
def test_what_is_no_field_of_digits_is_left_to_the_parser(body):
    means_the_same(body)
    with suppress(MalformedBody):
        assert not is_read_at_once(body)


def test_last_of_duplicate_keys_wins_whichever_is_read_how():
    assert plain(parse(b'{"x":[[0,2]],"x":[[0.5]]}')) == {"x": [[0.5]]}
    assert plain(parse(b'{"x":[[0.5]],"x":[[0,2]]}')) == {"x": [[0, 2]]}
    assert plain(parse(b'{"x":[[0,1]],"x":[[0,2]]}')) == {"x": [[0, 2]]}


def test_stand_in_that_a_caller_sends_stays_what_it_is():
    nonce = apart._NONCE.decode()
    for inner in (nonce, f"{nonce}x", f"{nonce}mask"):
        for fields in (
            {"note": inner, "x": ROWS},
            {"x": ROWS, "mask": [[inner]]},
            {"start": {"x": ROWS}, "x": [[inner]]},
        ):
            means_the_same(orjson.dumps(fields))
            assert plain(parse(orjson.dumps(fields))) == fields


def test_depth_is_counted_as_if_nothing_stood_in():
    for depth in (32, 33):
        within = depth - 4  # of the object and a tensor of three
        for before in (b"[" * within, b"{" * within, b"[}{" * within):
            body = b'{"note":"%b","x":[[[0]]]}' % before
            if depth == 32:
                assert is_read_at_once(body)
            else:
                with pytest.raises(MalformedBody, match="nested deeper than 32"):
                    parse(body)


def test_array_outlives_the_body_and_can_be_written():
    body = bytearray(orjson.dumps({"x": ROWS}))
    array = parse(body)["x"]
    body[:] = bytes(len(body))
    body += b"grown"  # refused while somebody looks into it
    assert array.tolist() == ROWS
    assert array.flags.owndata
    assert array.flags.writeable
    assert tensor(array) is array


def test_a_number_costs_no_object(monkeypatch):
    """The parser never sees them."""
    seen = []
    loads = orjson.loads
    monkeypatch.setattr("service.encoding.json.orjson.loads", lambda body: seen.append(len(body)) or loads(body))
    ones = np.ones((16, 28, 28), np.int64).tolist()
    assert parse(orjson.dumps({"x": ones, "mask": ones}))["mask"].shape == (16, 28, 28)
    assert max(seen) < 400


def test_small_bodies_are_left_to_the_parser(monkeypatch):
    monkeypatch.undo()
    assert parse(b'{"x":[[0,1]]}') == {"x": [[0, 1]]}
