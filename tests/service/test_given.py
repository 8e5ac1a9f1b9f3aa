"""The headers of a request are read once."""

from service import given


def test_headers_are_by_name_and_of_two_the_last():
    scope = {"headers": [(b"host", b"a"), (b"accept", b"x"), (b"accept", b"y")]}
    assert given.headers(scope) == {b"host": b"a", b"accept": b"y"}


def test_they_stay_with_the_request():
    scope = {"headers": [(b"host", b"a")]}
    assert given.headers(scope) is given.headers({**scope, "headers": []})
