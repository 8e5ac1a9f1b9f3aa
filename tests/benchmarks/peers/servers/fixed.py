"""The limit of uvicorn: a plain ASGI application that answers every request with the same body, one sample's size."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

BODY = json.dumps({"x": [[[0.0] * 28] * 28]}, separators=(",", ":")).encode()
START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())],
}


async def app(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Awaitable[None]]) -> None:
    if scope["type"] == "http":
        await receive()
        await send(START)
        await send({"type": "http.response.body", "body": BODY})
