"""Whoever reads is never waited for."""

import os

import pytest

from service.outlet import ATOMIC, Outlet


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    yield reading, writing
    os.close(reading)
    os.close(writing)


def test_pipe_that_is_full_takes_nothing_and_goes_on_when_it_is_read(pipe):
    reading, writing = pipe
    outlet, piece = Outlet(writing), b"a" * ATOMIC
    taken = 0
    while size := outlet.put(piece):
        taken += size
    assert taken >= ATOMIC
    assert len(os.read(reading, taken)) == taken
    assert outlet.put(piece) == ATOMIC
    outlet.close()


def test_room_that_another_took_meanwhile_is_not_waited_for(pipe, monkeypatch):
    """As between two processes: it seemed writable, and no longer is."""
    _, writing = pipe
    outlet = Outlet(writing)
    while outlet.put(b"a" * ATOMIC):
        pass
    monkeypatch.setattr(outlet, "_poll", type("Hopeful", (), {"poll": lambda self, _: [1]})())
    assert outlet.put(b"a" * ATOMIC) == 0
    outlet.close()


def test_file_is_written_where_others_write_too(tmp_path):
    with (tmp_path / "both").open("wb", buffering=0) as file:
        outlet = Outlet(file.fileno())
        outlet.put(b"one\n")
        file.write(b"two\n")
        outlet.put(b"three\n")
        outlet.close()
    assert (tmp_path / "both").read_bytes() == b"one\ntwo\nthree\n"


def test_where_nobody_can_read_any_more_it_says_so():
    reading, writing = os.pipe()
    outlet = Outlet(writing)
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        outlet.put(b"a")
    os.close(writing)
    outlet.close()
