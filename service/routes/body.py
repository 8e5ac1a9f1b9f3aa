"""The body of a request: plain bytes, read no further than to where they are known to be too many."""

from collections.abc import Callable
from typing import TypeVar

from fastapi import Request
from starlette.datastructures import Headers

from service import given
from service.errors import BodyTooLarge, UnsupportedMediaType

LARGE = 2**17  # bytes; more are read and written in a thread, where others come between

T = TypeVar("T")


async def at_once(work: Callable[..., T], *arguments: object, **named: object) -> T:
    """In the place of asyncio.to_thread, for what is sooner done than handed over."""
    return work(*arguments, **named)


def check_is_plain(headers: Headers) -> None:
    """UnsupportedMediaType for a body that would have to be unpacked first."""
    if {encoding.strip().lower() for encoding in headers.getlist("content-encoding")} - {"identity"}:
        raise UnsupportedMediaType("bodies are taken without Content-Encoding")
    if headers.get("content-type", "").lower().startswith("multipart/"):
        raise UnsupportedMediaType("a body is one thing; forms of several parts are not taken")


async def read(request: Request, limit: int) -> bytearray:
    """The whole body; BodyTooLarge over the limit in bytes, announced or not."""
    announced = given.headers(request.scope).get(b"content-length", b"")
    check_size(int(announced[:18]) if announced.isdigit() else 0, limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        check_size(len(body), limit)
    return body


def check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyTooLarge(f"the body is over the limit of {limit:,} bytes; send fewer rows at a time")
