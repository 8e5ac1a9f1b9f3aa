"""The generative verbs asked in JSON as plain ASGI: the functions that their routes call, without the way to them.

FastAPI's search for the route, its dependencies and its body take longer than a small model does. Whatever is not plain
JSON for a known verb goes on to the routes, which take it or say what is wrong with it.
"""

import asyncio
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import ReparamError
from service import errors, given, trace
from service.encoding import json
from service.registry import Registry
from service.routes import generative
from service.routes.answers import Answerer, Reply, offered
from service.routes.body import LARGE, at_once, read
from service.routes.dependencies import Served, ServiceSettings, served_by
from service.routes.negotiation import JSON, NPY

_PATH = re.compile(r"/v2/models/([^/]+)(?:/versions/([^/]+))?/([a-z]+)")
_ACCEPTED = {b"*/*": JSON, JSON.encode(): JSON, NPY.encode(): NPY}
_PLAIN = {
    b"content-type": frozenset({b"application/json"}),
    b"content-encoding": frozenset({b"identity"}),
}


class _Verb(NamedTuple):
    """An endpoint, what it takes as its body, whether it takes the settings, and what it can answer."""

    answer: Callable[..., Awaitable[Response]]
    request: type[BaseModel]
    takes_settings: bool
    offers: tuple[str, ...]


class _Question(NamedTuple):
    verb: str
    model: str
    version: str | None
    media_type: str


class Hot:
    """ASGI middleware, inside of what every request passes through."""

    def __init__(self, app: ASGIApp, registry: Registry, body_bytes: int) -> None:
        self._app = app
        self._registry = registry
        self._body_bytes = body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        question = _question(scope)
        if question is None:
            await self._app(scope, receive, send)
            return
        try:
            response = await self._answer(question, Request(scope, receive))
        except ReparamError as error:
            if type(error) not in errors.STATUS:
                raise
            response = errors.answer_to(error)
        await response(scope, receive, send)

    async def _answer(self, question: _Question, request: Request) -> Response:
        verb = VERBS[question.verb]
        trace.current().operation = question.verb
        body = await read(request, self._body_bytes)
        here = at_once if len(body) <= LARGE else asyncio.to_thread
        parsed = await here(json.parse, body)
        model = await served_by(self._registry, question.model, question.version)
        try:
            asked = await here(verb.request.model_validate, parsed, from_attributes=True)  # the words of FastAPI
        except ValidationError as error:
            first = error.errors()[0]
            return errors.refuse(("body", *first["loc"]), first["msg"])
        settings = {"settings": model.settings} if verb.takes_settings else {}
        return await verb.answer(
            request=asked, model=model, reply=Answerer(question.media_type, model.settings), **settings
        )


def _question(scope: Scope) -> _Question | None:
    """What is asked, if it is a known verb with a JSON body, and its answer is to be JSON or npy."""
    if scope["type"] != "http" or scope["method"] != "POST" or scope["query_string"]:
        return None
    found = _PATH.fullmatch(scope["path"])
    if found is None or found[3] not in VERBS:
        return None
    headers = given.headers(scope)
    if b"content-type" not in headers or len(headers) < len(scope["headers"]):  # a name that comes twice is not plain
        return None
    if any(name in headers and headers[name] not in plain for name, plain in _PLAIN.items()):
        return None
    media_type = _ACCEPTED.get(headers.get(b"accept", b"*/*"))
    return _Question(found[3], found[1], found[2], media_type) if media_type in VERBS[found[3]].offers else None


def _verb(route: APIRoute) -> _Verb | None:
    """None for an endpoint that takes more than is given here."""
    takes = {name: parameter.annotation for name, parameter in inspect.signature(route.endpoint).parameters.items()}
    request, model, reply = (takes.pop(name, None) for name in ("request", "model", "reply"))
    if (model, reply) != (Served, Reply) or takes not in ({}, {"settings": ServiceSettings}):
        return None
    if not (isinstance(request, type) and issubclass(request, BaseModel)):
        return None
    return _Verb(route.endpoint, request, bool(takes), offered(route.response_model))


VERBS = {
    route.name: verb
    for route in generative.router.routes
    if isinstance(route, APIRoute) and (verb := _verb(route)) is not None
}
