"""What the verbs answer, in the type that the caller accepts."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, NamedTuple

import numpy as np
from fastapi import Depends, Request
from numpy.typing import NDArray
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from service import trace
from service.draw import Draw
from service.encoding import json, npy, picture
from service.errors import InvalidInput, NotAcceptable
from service.routes.body import LARGE, at_once
from service.routes.negotiation import JSON, LINES, NPY, PNG, best, listed
from service.routes.question import Question
from service.routes.stream import stream
from service.schemas import responses
from service.served_model import ServedModel
from service.settings import Settings

_ITEM = 2**10  # bytes of a list's item, about what a row of scores is


def offered(kind: type[responses.Response]) -> tuple[str, ...]:
    """The media types of an answer; the first is the one for callers who do not care."""
    tensors = (NPY,) if issubclass(kind, responses.TensorResponse) else ()
    pictures = (PNG,) if issubclass(kind, responses.DrawResponse) else ()
    return (JSON, *tensors, *pictures, LINES)


class Answerer(NamedTuple):
    """How the answer to the request at hand is to be given."""

    media_type: str
    settings: Settings

    async def __call__(self, question: Question) -> Response:
        response = await _WRITERS[self.media_type](question, self.settings)
        say_who(response, question.model, question.draw)
        return response


def say_who(response: Response, model: ServedModel, draw: Draw) -> None:
    """In the headers: the model that answers, and the seed that its answer came from."""
    response.headers["Reparam-Model"] = f"{model.manifest.name}/{model.manifest.version}"
    response.headers["Reparam-Digest"] = model.digest
    response.headers["Reparam-Seed"] = str(draw.seed)


async def _answerer(request: Request) -> Answerer:
    """NotAcceptable if the caller takes none of the types that this verb has for this model."""
    model: ServedModel = request.state.served
    offers = offered(request.scope["route"].response_model)
    if PNG in offers and not _shows(model):
        offers = tuple(name for name in offers if name != PNG)
    liked = best(",".join(request.headers.getlist("accept")) or "*/*", offers)
    if liked is None:
        raise NotAcceptable(f"the answer can be {listed(offers)}; Accept lists none of them")
    return Answerer(liked, model.settings)


Reply = Annotated[Answerer, Depends(_answerer)]


def _shows(model: ServedModel) -> bool:
    return picture.shows(model.manifest.x, model.manifest.shapes["x"])


async def _as_json(question: Question, _: Settings) -> Response:
    fields = await question.answer(slice(0, question.rows))
    started = time.perf_counter()
    manifest, draw = question.model.manifest, question.draw
    answer = question.kind(
        model=manifest.name,
        version=manifest.version,
        digest=question.model.digest,
        seed=draw.seed,
        index=draw.index,
        **fields,
    )
    size = sum(_size(value) for value in fields.values())
    return _written(await (at_once if size <= LARGE else asyncio.to_thread)(json.dump, answer), JSON, started)


def _size(value: object) -> int:
    """Bytes, those of a list guessed."""
    if isinstance(value, np.ndarray):
        return value.nbytes
    return _ITEM * len(value) if isinstance(value, list) else 0


async def _as_npy(question: Question, _: Settings) -> Response:
    """The first output."""
    fields = await question.answer(slice(0, question.rows))
    started = time.perf_counter()
    array = fields[question.names[0]]
    parts = npy.write(array)
    if array.base is not None:  # a part of a run's output, all of which it would keep while it is not read
        return _written(b"".join(parts), NPY, started)
    trace.current().encode = time.perf_counter() - started
    return _InParts(parts, NPY)


async def _as_png(question: Question, _: Settings) -> Response:
    """The mean where there is one, else the draw; what the caller named first if anything."""
    found = await question.ask(slice(0, question.rows), question.wanted)
    name = question.wanted[0] if question.wanted else "mean" if "mean" in found else "x"
    if name not in ("x", "mean"):
        raise InvalidInput(f"{name} is no picture; outputs may begin with x or mean")
    started = time.perf_counter()
    images: NDArray[np.float32] = found[name]
    return _written(await asyncio.to_thread(picture.write, images, question.model.manifest.x), PNG, started)


class _InParts(Response):
    """An answer whose parts are sent from where they are."""

    def __init__(self, parts: Sequence[bytes | memoryview], media_type: str) -> None:
        super().__init__(headers={"content-length": str(sum(map(len, parts)))}, media_type=media_type)
        self._parts = parts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        for part in self._parts:
            await send({"type": "http.response.body", "body": part, "more_body": part is not self._parts[-1]})


def _written(content: bytes, media_type: str, started: float) -> Response:
    trace.current().encode = time.perf_counter() - started
    return Response(content, media_type=media_type)


_WRITERS: dict[str, Callable[[Question, Settings], Awaitable[Response]]] = {
    JSON: _as_json,
    NPY: _as_npy,
    PNG: _as_png,
    LINES: stream,
}
