"""The head of a request is taken if it says in one way only whom it is for and where it ends."""

import pytest

from service import head
from service.refusals import HeadersTooLarge, MalformedRequest

HOST = (b"host", b"localhost")
CHUNKED = (b"transfer-encoding", b"chunked")
LENGTH = (b"content-length", b"2")


def check(*headers, version="1.1", upgrades=False, most=4):
    head.check(headers, version, upgrades=upgrades, most=most)


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        ([HOST], {}),
        ([], {"version": "1.0"}),
        ([HOST], {"version": "1.0"}),
        ([HOST, LENGTH], {}),
        ([HOST, CHUNKED], {}),
        ([HOST], {"upgrades": True}),
        ([HOST, (b"a", b""), (b"b", b""), (b"c", b"")], {}),
    ],
)
def test_what_is_plain_is_taken(headers, options):
    check(*headers, **options)


@pytest.mark.parametrize(
    ("headers", "options"),
    [
        ([], {}),
        ([HOST, HOST], {}),
        ([HOST, HOST], {"version": "1.0"}),
        ([HOST], {"version": "2.0"}),
        ([HOST], {"version": "0.9"}),
        ([HOST, CHUNKED], {"version": "1.0"}),
        ([HOST, (b"transfer-encoding", b"Chunked")], {}),
        ([HOST, (b"transfer-encoding", b"gzip")], {}),
        ([HOST, CHUNKED], {"upgrades": True}),
        ([HOST, LENGTH], {"upgrades": True}),
    ],
)
def test_what_is_not_is_malformed(headers, options):
    with pytest.raises(MalformedRequest):
        check(*headers, **options)


def test_headers_are_counted():
    with pytest.raises(HeadersTooLarge):
        check(HOST, *[(b"a", b"")] * 4)


def test_size_is_of_names_values_and_address():
    head.check_size([HOST], b"/livez", 6 + 4 + 9)
    with pytest.raises(HeadersTooLarge):
        head.check_size([HOST], b"/livez", 6 + 4 + 9 - 1)
