"""The generative verbs: unpack the request, ask the model, pack the answer."""

import secrets
from dataclasses import replace

import numpy as np
from fastapi import APIRouter
from starlette.responses import Response

from service import inputs
from service.errors import InvalidInput
from service.interpolation import path_between
from service.routes.answers import chosen, only, pack, score_rows
from service.routes.dependencies import Served, ServiceSettings, problems
from service.routes.json_route import JSONRoute
from service.schemas import requests, responses
from service.scoring import score_examples
from service.served_model import Code, Draw

router = APIRouter(route_class=JSONRoute, responses=problems())

_DEFAULT = ("x", "z")


@router.post("/sample", response_model=responses.SampleResponse)
async def sample(request: requests.SampleRequest, model: Served) -> Response:
    names = chosen(responses.SampleResponse, model.outputs("sample"), request.outputs, _DEFAULT)
    draw = _draw(request, request.temperature)
    arrays = await model.sample(request.num_samples, draw)
    return pack(model, draw, responses.SampleResponse, only(arrays, names))


@router.post("/encode", response_model=responses.EncodeResponse)
async def encode(request: requests.EncodeRequest, model: Served) -> Response:
    names = chosen(responses.EncodeResponse, model.outputs("encode"), request.outputs)
    draw = _draw(request, request.temperature)
    arrays = await model.encode(request.x, draw)
    return pack(model, draw, responses.EncodeResponse, only(arrays, names))


@router.post("/decode", response_model=responses.DecodeResponse)
async def decode(request: requests.DecodeRequest, model: Served) -> Response:
    names = chosen(responses.DecodeResponse, model.outputs("decode"), request.outputs, ("x",))
    draw = _draw(request, request.temperature)
    arrays = await model.decode(request.z, draw)
    return pack(model, draw, responses.DecodeResponse, only(arrays, names))


@router.post("/reconstruct", response_model=responses.ReconstructResponse)
async def reconstruct(request: requests.ReconstructRequest, model: Served) -> Response:
    names = chosen(responses.ReconstructResponse, model.outputs("decode"), request.outputs, _DEFAULT)
    draw = _draw(request, request.temperature)
    arrays = await model.reconstruct(request.x, draw)
    return pack(model, draw, responses.ReconstructResponse, only(arrays, names))


@router.post("/interpolate", response_model=responses.InterpolateResponse)
async def interpolate(request: requests.InterpolateRequest, model: Served, settings: ServiceSettings) -> Response:
    names = chosen(responses.InterpolateResponse, model.outputs("decode"), request.outputs, _DEFAULT)
    inputs.check_count("steps", request.steps, settings.request_steps)
    draw = _draw(request, request.temperature)
    start, end = [await model.code(_code(end), replace(draw, temperature=0.0)) for end in (request.start, request.end)]
    arrays = await model.decode(path_between(start, end, request.steps, request.path), draw)
    return pack(model, draw, responses.InterpolateResponse, only(arrays, names))


@router.post("/traverse", response_model=responses.TraverseResponse)
async def traverse(request: requests.TraverseRequest, model: Served, settings: ServiceSettings) -> Response:
    names = chosen(responses.TraverseResponse, model.outputs("decode"), request.outputs, _DEFAULT)
    inputs.check_count("values", len(request.values), settings.request_steps)
    draw = _draw(request, request.temperature)
    origin = await model.code(_code(request.origin), replace(draw, temperature=0.0))
    if request.dimension >= origin.size:
        raise InvalidInput(f"dimension goes from 0 to {origin.size - 1}")
    codes = np.repeat(origin[None], len(request.values), axis=0)
    codes.reshape(len(codes), -1)[:, request.dimension] = request.values
    arrays = await model.decode(codes, draw)
    return pack(model, draw, responses.TraverseResponse, only(arrays, names))


@router.post("/score", response_model=responses.ScoreResponse)
async def score(request: requests.ScoreRequest, model: Served, settings: ServiceSettings) -> Response:
    draw = _draw(request, 1.0)
    scores = await score_examples(model, request.x, request.samples, request.target_std_error, draw, settings)
    fields = {
        "kind": "exact" if scores.is_exact else "lower_bound",
        "unit": "nats",
        "samples": scores.samples,
        "rows": list(score_rows(model, scores)),
    }
    return pack(model, draw, responses.ScoreResponse, fields)


@router.post("/complete", response_model=responses.CompleteResponse)
async def complete(request: requests.CompleteRequest, model: Served) -> Response:
    names = chosen(responses.CompleteResponse, model.outputs("complete"), request.outputs, _DEFAULT)
    draw = _draw(request, request.temperature)
    arrays = await model.complete(request.x, request.mask, draw)
    conditioning = {"conditioning": model.conditioning(request.mask)}
    return pack(model, draw, responses.CompleteResponse, only(arrays, names) | conditioning)


@router.post("/criticize", response_model=responses.CriticizeResponse)
async def criticize(request: requests.CriticizeRequest, model: Served) -> Response:
    draw = _draw(request, 1.0)
    arrays = await model.criticize(request.x, draw)
    fields = {"realness": arrays["realness"], "realness_kind": model.manifest.realness_kind}
    return pack(model, draw, responses.CriticizeResponse, fields)


def _draw(request: requests.Request, temperature: float) -> Draw:
    seed = secrets.randbelow(2**53) if request.seed is None else request.seed
    return Draw(seed, request.index, temperature, request.label)


def _code(end: requests.PathEnd) -> Code:
    return Code(end.x, end.z, end.seed or 0, end.index)
