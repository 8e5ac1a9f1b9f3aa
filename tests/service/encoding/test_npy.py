"""npy files are read as numpy writes them, and nothing else is."""

import tracemalloc
from io import BytesIO

import numpy as np
import pytest

from service.encoding import npy
from service.errors import InvalidInput, MalformedBody

ROWS = np.arange(24, dtype=np.float32).reshape(3, 2, 4)


def saved(array, version=None):
    file = BytesIO()
    np.lib.format.write_array(file, np.asanyarray(array), version)
    return file.getvalue()


def file(descr="'<f4'", order="False", shape="(2,)", data=bytes(8), version=b"\x01\x00"):
    """As an encoder might write it that means no good."""
    return framed(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n".encode(), data, version)


def framed(header, data=bytes(8), version=b"\x01\x00"):
    length = len(header).to_bytes(2 if version == b"\x01\x00" else 4, "little")
    return b"\x93NUMPY" + version + length + header + data


def read(body):
    return npy.values(body, npy.header(body))


@pytest.mark.parametrize("kind", ["<f4", "<f8", "<i8", "|u1"])
@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("order", ["C", "F"])
def test_what_numpy_writes_is_read_value_by_value(kind, version, order):
    array = np.asarray(ROWS.astype(kind), order=order)
    found = read(saved(array, version))
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    assert (found == ROWS).all()


def test_every_finite_single_comes_through_bit_for_bit():
    bits = np.random.default_rng(0).integers(0, 2**32, 10_000, dtype=np.uint32).view(np.float32)
    values = np.concatenate([bits[np.isfinite(bits)], np.float32([-0.0, 1e-45, 3.4028235e38])])
    assert read(b"".join(npy.write(values))).tobytes() == values.tobytes()


@pytest.mark.parametrize("array", [ROWS, ROWS.T, ROWS[1:2], np.float32([np.nan, np.inf]), np.float32([])])
def test_what_is_written_numpy_loads(array):
    loaded = np.load(BytesIO(b"".join(npy.write(array))), allow_pickle=False)
    assert loaded.dtype == array.dtype
    np.testing.assert_array_equal(loaded, array)


@pytest.mark.parametrize(
    "kind", ["'>f4'", "'>f8'", "'<f2'", "'|b1'", "'|O'", "'|S0'", "'<U1'", "'<c8'", "'|V8'", "'<M8[s]'", "'<i4'", "''"]
)
def test_types_that_are_not_taken_are_told_one_that_is(kind):
    with pytest.raises(InvalidInput, match=r"array\.astype\('<f4'\)"):
        npy.header(file(descr=kind))


@pytest.mark.parametrize("values", [[np.nan, 0], [0, np.inf], [-np.inf, 0]])
def test_values_that_are_not_finite_are_refused(values):
    with pytest.raises(InvalidInput, match="not finite"):
        read(saved(np.float32(values)))


def test_values_beyond_single_precision_are_refused():
    with pytest.raises(InvalidInput, match="not finite in single precision"):
        read(saved(np.float64([1e39, 0])))


HOSTILE = {
    "nothing": b"",
    "half a magic": b"\x93NUM",
    "magic alone": b"\x93NUMPY",
    "no header": b"\x93NUMPY\x01\x00",
    "half a length": b"\x93NUMPY\x01\x00\x10",
    "a zip": b"PK\x03\x04" + bytes(100),
    "a pickle": b"\x80\x04\x95\x08\x00\x00\x00\x00\x00\x00\x00",
    "text": b"[[1, 2], [3, 4]]",
    "version 3": file(version=b"\x03\x00"),
    "version 1.1": file(version=b"\x01\x01"),
    "one byte too few": file(data=bytes(7)),
    "one byte too many": file(data=bytes(9)),
    "no data": file(data=b""),
    "two files": saved(ROWS) + saved(ROWS),
    "a header longer than the file": b"\x93NUMPY\x01\x00\xff\x00{}",
    "a long header": framed(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }" + b" " * 200),
    "a huge header": b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100),
    "a huge shape": file(shape="(8589934592, 8589934592)"),
    "a shape beyond 64 bits": file(shape="(9223372036854775809, 2)"),
    "a shape that wraps round to its data": file(shape="(4611686018427387904, 4)"),
    "a shape of 200 digits": file(shape=f"({'9' * 150},)"),
    "negative sizes": file(shape="(-1, -2)"),
    "a minus": file(shape="(-2,)"),
    "sizes that are no numbers": file(shape="(2.0,)"),
    "a power": file(shape="(10**9,)"),
    "a list": file(shape="[2]"),
    "a number": file(shape="2"),
    "nested sizes": file(shape="((2,),)"),
    "numbers of other scripts": file(shape="(\u0662,)"),
    "spaces between digits": file(shape="(1 2,)"),
    "a call": file(shape="(exit(),)"),
    "an import": file(order="__import__('os')"),
    "a string for order": file(order="'False'"),
    "a number for order": file(order="0"),
    "a bare type": file(descr="float"),
    "a structured type": file(descr="[('a', '<f4'), ('b', '<f4')]"),
    "a type of bytes": file(descr="b'<f4'"),
    "an object with a pickle": file(descr="('|O', ())", data=b"\x80\x04N."),
    "no braces": framed(b"'descr': '<f4', 'fortran_order': False, 'shape': (2,)"),
    "an empty header": framed(b""),
    "one brace": framed(b"{"),
    "an empty dictionary": framed(b"{}"),
    "a missing key": framed(b"{'descr': '<f4', 'shape': (2,), }"),
    "a further key": framed(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': True, }"),
    "swapped values": framed(b"{'descr': (2,), 'fortran_order': False, 'shape': '<f4', }"),
    "something behind": framed(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), } + 1"),
    "a comment": framed(b"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), #}"),
    "deep nesting": framed(b"(" * 250),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_array_is_malformed(name):
    with pytest.raises(MalformedBody):
        npy.header(HOSTILE[name])


@pytest.mark.parametrize("name", ["a huge shape", "a huge header", "a shape of 200 digits"])
def test_nothing_is_allocated_for_a_shape_that_its_data_do_not_fill(name):
    tracemalloc.start()
    try:
        with pytest.raises(MalformedBody):
            npy.header(HOSTILE[name])
        assert tracemalloc.get_traced_memory()[1] < 2**16
    finally:
        tracemalloc.stop()


def test_keys_may_come_in_any_order_and_either_quotes():
    body = framed(b'{"shape": (2,), "fortran_order": False, "descr": "<f4"}')
    assert npy.header(body).shape == (2,)


def test_ten_thousand_mutants_are_read_or_refused():
    """Each is one of ours with up to six bytes changed, or cut short: numpy.load raises six kinds of error on such."""
    rng = np.random.default_rng(0)
    whole = saved(ROWS)
    refused = 0
    for _ in range(10_000):
        body = bytearray(whole)
        for at in rng.integers(0, 140, rng.integers(1, 7)):
            body[at] = rng.integers(256)
        body = body[: rng.integers(len(body)) if rng.random() < 0.2 else None]
        try:
            says = npy.header(body)
            if says.shape == ROWS.shape:
                npy.values(body, says)
        except (MalformedBody, InvalidInput):
            refused += 1
    assert refused > 5_000
