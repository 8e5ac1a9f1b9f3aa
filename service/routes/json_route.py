"""A route that takes one JSON body and answers JSON; other types are refused before anything is read."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.responses import Response

from service import encoding, trace
from service.errors import BodyTooLarge, NotAcceptable, UnsupportedMediaType

_JSON = "application/json"
_ACCEPTED = frozenset({_JSON, "application/*", "*/*"})

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class JSONRoute(APIRoute):
    """Parses the body itself: the standard parser lets NaN, UTF-16 and deep nesting through."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def checked(request: Request) -> Response:
            trace.current().operation = self.name
            _check_types(request.headers)
            body = await _body(request, request.app.state.settings.json_body_bytes)
            return await handle(_ParsedRequest(request, encoding.parse(body)))

        return checked


class _ParsedRequest(Request):
    """A request whose JSON is known already."""

    def __init__(self, request: Request, parsed: object) -> None:
        super().__init__(request.scope, request.receive)
        self._parsed = parsed

    async def body(self) -> bytes:
        return b"parsed"  # not empty, so that FastAPI asks for the JSON

    async def json(self) -> object:
        return self._parsed


async def _body(request: Request, limit: int) -> bytes:
    """The whole body, read no further than to where it is known to be over the limit."""
    announced = request.headers.get("content-length", "")
    _check_size(int(announced[:18]) if announced.isdecimal() else 0, limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _check_size(len(body), limit)
    return bytes(body)


def _check_size(size: int, limit: int) -> None:
    if size > limit:
        raise BodyTooLarge(f"the body is over the limit of {limit:,} bytes; send fewer rows at a time")


def _check_types(headers: Headers) -> None:
    if headers.get("content-encoding", "identity") != "identity":
        raise UnsupportedMediaType("bodies are taken without Content-Encoding")
    if _media_type(headers.get("content-type", "")) != _JSON:
        raise UnsupportedMediaType(f"the body has to be {_JSON}, and Content-Type has to say so")
    accepted = {_media_type(part) for part in headers.get("accept", "*/*").split(",")}
    if not accepted & _ACCEPTED:
        raise NotAcceptable(f"the answer is {_JSON}; Accept does not list it")


def _media_type(value: str) -> str:
    return value.partition(";")[0].strip().lower()
