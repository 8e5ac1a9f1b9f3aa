"""A route that takes the inference protocol's frame: JSON, and raw tensors behind it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, cast

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from service import trace
from service.encoding import framing, json
from service.routes.body import LARGE, at_once, check_is_plain, check_size, read
from service.routes.unpacked_request import UnpackedRequest

HEAD_LENGTH = "Inference-Header-Content-Length"


class InferRoute(APIRoute):
    """Takes the frame apart; its clients send no Content-Type, or one that says nothing."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def unpacked(request: Request) -> Response:
            trace.current().operation = self.name
            settings = request.app.state.settings
            check_is_plain(request.headers)
            body = await read(request, settings.body_bytes)
            frame = framing.take_apart(body, request.headers.get(HEAD_LENGTH))
            check_size(len(frame.head), settings.json_body_bytes)
            request.state.raw_tensors = frame.rest
            parse = at_once if len(frame.head) <= LARGE else asyncio.to_thread
            return await handle(UnpackedRequest(request, await parse(json.parse, bytes(frame.head))))

        return unpacked


async def _raw_tensors(request: Request) -> memoryview:
    return cast(memoryview, request.state.raw_tensors)


RawTensors = Annotated[memoryview, Depends(_raw_tensors)]
