"""The generative verbs: unpack the request, say what is asked of the model, and leave the answer to its type."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from service import inputs
from service.draw import Draw
from service.errors import InvalidInput
from service.interpolation import path_between
from service.routes.answers import Reply
from service.routes.dependencies import Served, ServiceSettings, problems
from service.routes.described import described
from service.routes.payload_route import PayloadRoute
from service.routes.question import Question, chosen
from service.routes.score_rows import score_rows
from service.schemas import requests, responses
from service.scoring import check_samples, score_examples
from service.served_model import Code, Floats, Names, ServedModel

router = APIRouter(route_class=PayloadRoute, responses=problems(), strict_content_type=False)

_DEFAULT = ("x", "z")


@router.post("/sample", **described("sample", requests.SampleRequest, responses.SampleResponse))
async def sample(request: requests.SampleRequest, model: Served, reply: Reply) -> Response:
    kind, draw = responses.SampleResponse, _draw(request, request.temperature)
    names = chosen(kind, model.outputs("sample"), request.outputs, _DEFAULT)

    async def ask(rows: slice, outputs: Names) -> Mapping[str, Any]:
        return await model.sample(rows.stop - rows.start, draw.of(rows), outputs)

    return await reply(Question(model, kind, draw, "sample", {}, request.num_samples, ask, names, request.outputs))


@router.post("/encode", **described("encode", requests.EncodeRequest, responses.EncodeResponse))
async def encode(request: requests.EncodeRequest, model: Served, reply: Reply) -> Response:
    kind, draw, x = responses.EncodeResponse, _draw(request, request.temperature), request.x
    names = chosen(kind, model.outputs("encode"), request.outputs)

    async def ask(rows: slice, outputs: Names) -> Mapping[str, Any]:
        return await model.encode(x[rows], draw.of(rows), outputs)

    return await reply(Question(model, kind, draw, "encode", {"x": x}, len(x), ask, names, request.outputs))


@router.post("/decode", **described("decode", requests.DecodeRequest, responses.DecodeResponse))
async def decode(request: requests.DecodeRequest, model: Served, reply: Reply) -> Response:
    kind, draw = responses.DecodeResponse, _draw(request, request.temperature)
    names = chosen(kind, model.outputs("decode"), request.outputs, ("x",))
    return await reply(_decoding(kind, model, draw, request.z, names, request.outputs))


@router.post("/reconstruct", **described("reconstruct", requests.ReconstructRequest, responses.ReconstructResponse))
async def reconstruct(request: requests.ReconstructRequest, model: Served, reply: Reply) -> Response:
    kind, draw, x = responses.ReconstructResponse, _draw(request, request.temperature), request.x
    names = chosen(kind, model.outputs("decode"), request.outputs, _DEFAULT)
    model.check_rows("decode", len(x))

    async def ask(rows: slice, outputs: Names) -> Mapping[str, Any]:
        return await model.reconstruct(x[rows], draw.of(rows), outputs)

    step = min(model.rows_of_a_run("encode"), model.rows_of_a_run("decode"))
    return await reply(Question(model, kind, draw, "encode", {"x": x}, len(x), ask, names, request.outputs, step))


@router.post("/interpolate", **described("interpolate", requests.InterpolateRequest, responses.InterpolateResponse))
async def interpolate(
    request: requests.InterpolateRequest, model: Served, settings: ServiceSettings, reply: Reply
) -> Response:
    kind, draw = responses.InterpolateResponse, _draw(request, request.temperature)
    names = chosen(kind, model.outputs("decode"), request.outputs, _DEFAULT)
    inputs.check_count("steps", request.steps, settings.request_steps)
    start, end = [await model.code(_code(end), replace(draw, temperature=0.0)) for end in (request.start, request.end)]
    codes = path_between(start, end, request.steps, request.path)
    return await reply(_decoding(kind, model, draw, codes, names, request.outputs))


@router.post("/traverse", **described("traverse", requests.TraverseRequest, responses.TraverseResponse))
async def traverse(
    request: requests.TraverseRequest, model: Served, settings: ServiceSettings, reply: Reply
) -> Response:
    kind, draw = responses.TraverseResponse, _draw(request, request.temperature)
    names = chosen(kind, model.outputs("decode"), request.outputs, _DEFAULT)
    inputs.check_count("values", len(request.values), settings.request_steps)
    origin = await model.code(_code(request.origin), replace(draw, temperature=0.0))
    if request.dimension >= origin.size:
        raise InvalidInput(f"dimension goes from 0 to {origin.size - 1}")
    codes = np.repeat(origin[None], len(request.values), axis=0)
    codes.reshape(len(codes), -1)[:, request.dimension] = request.values
    return await reply(_decoding(kind, model, draw, codes, names, request.outputs))


@router.post("/score", **described("score", requests.ScoreRequest, responses.ScoreResponse))
async def score(request: requests.ScoreRequest, model: Served, settings: ServiceSettings, reply: Reply) -> Response:
    draw, x, samples, target = _draw(request, 1.0), request.x, request.samples, request.target_std_error
    check_samples(len(x), samples, settings)
    step = len(x) if target else model.rows_of_a_run("score", samples)  # all rows meet a target with as many samples

    async def ask(rows: slice, _: Names) -> Mapping[str, Any]:
        scores = await score_examples(model, x[rows], samples, target, draw.of(rows), settings)
        kind = "exact" if scores.is_exact else "lower_bound"
        return {"kind": kind, "unit": "nats", "samples": scores.samples, "rows": await score_rows(model, scores)}

    return await reply(Question(model, responses.ScoreResponse, draw, "score", {"x": x}, len(x), ask, step=step))


@router.post("/complete", **described("complete", requests.CompleteRequest, responses.CompleteResponse))
async def complete(request: requests.CompleteRequest, model: Served, reply: Reply) -> Response:
    kind, draw = responses.CompleteResponse, _draw(request, request.temperature)
    names = chosen(kind, model.outputs("complete"), request.outputs, _DEFAULT)
    data = {"x": request.x, "mask": request.mask}

    async def ask(rows: slice, outputs: Names) -> Mapping[str, Any]:
        drawn = await model.complete(request.x[rows], request.mask[rows], draw.of(rows), outputs)
        return {**drawn, "conditioning": model.conditioning(request.mask)}

    return await reply(Question(model, kind, draw, "complete", data, len(request.x), ask, names, request.outputs))


@router.post("/criticize", **described("criticize", requests.CriticizeRequest, responses.CriticizeResponse))
async def criticize(request: requests.CriticizeRequest, model: Served, reply: Reply) -> Response:
    draw, x = _draw(request, 1.0), request.x

    async def ask(rows: slice, _: Names) -> Mapping[str, Any]:
        return {**await model.criticize(x[rows], draw.of(rows)), "realness_kind": model.manifest.realness_kind}

    return await reply(
        Question(model, responses.CriticizeResponse, draw, "criticize", {"x": x}, len(x), ask, ("realness",))
    )


def _decoding(
    kind: type[responses.DrawResponse],
    model: ServedModel,
    draw: Draw,
    codes: Floats,
    names: Sequence[str],
    wanted: Sequence[str] | None,
) -> Question:
    """Codes decoded, whether they were given or found."""

    async def ask(rows: slice, outputs: Names) -> Mapping[str, Any]:
        return await model.decode(codes[rows], draw.of(rows), outputs)

    return Question(model, kind, draw, "decode", {"z": codes}, len(codes), ask, names, wanted)


def _draw(request: requests.Request, temperature: float) -> Draw:
    seed = secrets.randbelow(2**53) if request.seed is None else request.seed
    return Draw(seed, request.index, temperature, request.label)


def _code(end: requests.PathEnd) -> Code:
    return Code(end.x, end.z, end.seed or 0, end.index)
