"""A route that takes one body: JSON, or the verb's one tensor with all other fields in the query."""

import asyncio
import re
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any, cast

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import PydanticCustomError
from starlette.responses import Response

from models.manifest import OperationName
from service import trace
from service.encoding import json, nested
from service.errors import InvalidInput, UnsupportedMediaType
from service.routes.body import LARGE, at_once, check_is_plain, read
from service.routes.dependencies import find
from service.routes.negotiation import JSON, NPY, PNG, listed, media_type
from service.routes.payloads import READERS
from service.routes.unpacked_request import UnpackedRequest

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_TENSORS = ("x", "z", "mask")
_RUNS: dict[str, OperationName] = {"reconstruct": "encode"}  # for the others, the verb is the operation's name
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,18})?([eE][-+]?[0-9]{1,3})?")


class PayloadRoute(APIRoute):
    """Parses the body itself: the standard parser lets NaN, UTF-16 and deep nesting through."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        taken = taken_by(self._body_model)

        async def checked(request: Request) -> Response:
            trace.current().operation = self.name
            check_is_plain(request.headers)
            kind = media_type(request.headers.get("content-type", ""))
            if kind not in taken:
                raise UnsupportedMediaType(f"the body has to be {listed(taken)}, and Content-Type has to say so")
            return await handle(UnpackedRequest(request, await self._unpack(request, kind)))

        return checked

    async def _unpack(self, request: Request, kind: str) -> object:
        """The fields of the body and of the query, those of the body not yet validated."""
        settings = request.app.state.settings
        body = await read(request, settings.json_body_bytes if kind == JSON else settings.body_bytes)
        query = _from_query(request) if request.scope["query_string"] else {}
        if kind == JSON:
            parse = partial(_parse, tensors=_tensors(self._body_model))
            return _joined(query, await (at_once if len(body) <= LARGE else asyncio.to_thread)(parse, body))
        model, [tensor] = await find(request), _tensors(self._body_model)
        operation = _RUNS.get(self.name) or cast(OperationName, self.name)
        model.outputs(operation)  # refused if the model lacks it
        return _joined(
            query, {tensor: await READERS[kind](body, model, operation, tensor, model.settings.request_rows)}
        )

    @property
    def _body_model(self) -> type[BaseModel]:
        assert self.body_field is not None
        return cast(type[BaseModel], self.body_field.field_info.annotation)


def _parse(body: bytearray, tensors: list[str]) -> object:
    """With arrays for what is well-formed among the tensors; the rest is refused when the fields are validated."""
    fields = json.parse(body)
    if isinstance(fields, dict):
        for name in tensors:
            with suppress(PydanticCustomError):
                if name in fields:
                    fields[name] = nested.tensor(fields[name])
    return fields


def taken_by(request: type[BaseModel]) -> tuple[str, ...]:
    """The media types of bodies: other than JSON only where the request has exactly one tensor."""
    tensors = _tensors(request)
    if len(tensors) != 1:
        return (JSON,)
    return (JSON, NPY, PNG) if tensors == ["x"] else (JSON, NPY)


def _tensors(request: type[BaseModel]) -> list[str]:
    return [name for name in _TENSORS if name in request.model_fields]


def _from_query(request: Request) -> dict[str, Any]:
    """Numbers as numbers, all else as text; what may have several values has them by coming several times."""
    fields = {}
    for key in request.query_params:
        values = [orjson.loads(text) if _NUMBER.fullmatch(text) else text for text in request.query_params.getlist(key)]
        fields[key] = values if key == "outputs" or len(values) > 1 else values[0]
    return fields


def _joined(query: dict[str, Any], body: object) -> object:
    if not query or not isinstance(body, dict):
        return body
    if query.keys() & body.keys():
        raise InvalidInput("a field is given in the query and again in the body")
    return {**query, **body}
