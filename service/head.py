"""The head of a request: what the parser lets pass, and other servers may read in another way or not take at all."""

from collections.abc import Sequence

from service.refusals import HeadersTooLarge, MalformedRequest

_VERSIONS = ("1.0", "1.1")
TOO_LARGE = "there are too many headers, or they are too large"

Headers = Sequence[tuple[bytes, bytes]]


def check(headers: Headers, version: str, *, upgrades: bool, most: int) -> None:
    """HeadersTooLarge for more than `most`; MalformedRequest where it is not clear whom it is for or where it ends.

    The names are in small letters. The parser has refused bare LF, control characters, two lengths, and lengths that
    are no numbers or come with chunks.
    """
    if len(headers) > most:
        raise HeadersTooLarge(TOO_LARGE)
    names = [name for name, _ in headers]
    hosts = names.count(b"host")
    if version not in _VERSIONS or hosts > 1 or (hosts == 0 and version == "1.1"):
        raise MalformedRequest("a request is in HTTP/1.1 and has one Host")
    is_chunked = b"transfer-encoding" in names
    if is_chunked and (version != "1.1" or (b"transfer-encoding", b"chunked") not in headers):
        raise MalformedRequest("Transfer-Encoding is chunked, in HTTP/1.1, or left out")
    if upgrades and (is_chunked or b"content-length" in names):
        raise MalformedRequest("there is no other protocol to upgrade to; send the body without Upgrade")


def check_size(headers: Headers, url: bytes, most: int) -> None:
    """HeadersTooLarge for more than `most` bytes."""
    if len(url) + sum(len(name) + len(value) for name, value in headers) > most:
        raise HeadersTooLarge(TOO_LARGE)
