"""A caller is stuck that takes too little of its answer in the time that it has."""

import pytest

from service.unread import Unread

SECONDS = 2.0
ENOUGH = 2 * 16_384  # bytes in that time


class Transport:
    size = 0

    def get_write_buffer_size(self):
        return self.size


@pytest.fixture
def looks():
    """looks(*sizes): whether it is stuck at each of these sizes, a second apart."""
    transport = Transport()
    unread = Unread(transport, SECONDS)

    def at(*sizes):
        found = []
        for now, size in enumerate(sizes):
            transport.size = size
            found.append(unread.is_stuck(float(now)))
        return found

    at.unread = unread
    return at


def test_nothing_to_read_is_never_stuck(looks):
    assert looks(0, 0, 0, 0, 0, 0) == [False] * 6


def test_nothing_taken_is_stuck_when_the_time_is_over(looks):
    assert looks(0, 100, 100, 100) == [False, False, False, True]


def test_too_little_taken_is_stuck(looks):
    assert looks(100_000, 99_000, 100_000 - ENOUGH + 1) == [False, False, True]


def test_enough_taken_is_not(looks):
    whole = 10 * ENOUGH
    assert looks(whole, whole, whole - ENOUGH, whole - ENOUGH, whole - 2 * ENOUGH) == [False] * 5


def test_answer_that_was_read_begins_anew(looks):
    assert looks(100, 100, 0, 100, 100, 100) == [False, False, False, False, False, True]


def test_what_the_app_writes_meanwhile_is_not_held_against_the_caller(looks):
    """The app writes on once enough was taken, and the size is then as before."""
    assert looks(100) == [False]
    looks.unread.forget()
    assert looks(100, 100) == [False, False]
