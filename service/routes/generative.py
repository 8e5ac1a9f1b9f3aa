"""The generative verbs: unpack the request, ask the model, pack the answer."""

import secrets
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from fastapi import APIRouter
from numpy.typing import NDArray
from starlette.responses import Response

from service import encoding, inputs, schemas, trace
from service.errors import InvalidInput
from service.graph import Arrays
from service.interpolation import interpolate as path_between
from service.routes.dependencies import PROBLEMS, Served, ServiceSettings
from service.routes.json_route import JSONRoute
from service.scoring import Scores
from service.scoring import score as score_rows
from service.served_model import Code, Draw, ServedModel

router = APIRouter(route_class=JSONRoute, responses=PROBLEMS)

_DEFAULT = ("x", "z")
_NOT_FINITE = "the model's arithmetic overflowed on this row"

AnyResponse = TypeVar("AnyResponse", bound=schemas.Response)


@router.post("/sample", response_model=schemas.SampleResponse)
async def sample(request: schemas.SampleRequest, model: Served) -> Response:
    draw = _draw(request, request.temperature)
    arrays = await model.sample(request.num_samples, draw)
    return _pack(model, draw, schemas.SampleResponse, _chosen(arrays, request.outputs, _DEFAULT))


@router.post("/encode", response_model=schemas.EncodeResponse)
async def encode(request: schemas.EncodeRequest, model: Served) -> Response:
    draw = _draw(request, request.temperature)
    arrays = await model.encode(request.x, draw)
    return _pack(model, draw, schemas.EncodeResponse, _chosen(arrays, request.outputs, tuple(arrays)))


@router.post("/decode", response_model=schemas.DecodeResponse)
async def decode(request: schemas.DecodeRequest, model: Served) -> Response:
    draw = _draw(request, request.temperature)
    arrays = await model.decode(request.z, draw)
    return _pack(model, draw, schemas.DecodeResponse, _chosen(arrays, request.outputs, ("x",)))


@router.post("/reconstruct", response_model=schemas.ReconstructResponse)
async def reconstruct(request: schemas.ReconstructRequest, model: Served) -> Response:
    draw = _draw(request, request.temperature)
    arrays = await model.reconstruct(request.x, draw)
    return _pack(model, draw, schemas.ReconstructResponse, _chosen(arrays, request.outputs, _DEFAULT))


@router.post("/interpolate", response_model=schemas.InterpolateResponse)
async def interpolate(request: schemas.InterpolateRequest, model: Served, settings: ServiceSettings) -> Response:
    inputs.check_count("steps", request.steps, settings.request_steps)
    draw = _draw(request, request.temperature)
    start, end = [await model.code(_code(end), replace(draw, temperature=0.0)) for end in (request.start, request.end)]
    arrays = await model.decode(path_between(start, end, request.steps, request.path), draw)
    return _pack(model, draw, schemas.InterpolateResponse, _chosen(arrays, request.outputs, _DEFAULT))


@router.post("/traverse", response_model=schemas.TraverseResponse)
async def traverse(request: schemas.TraverseRequest, model: Served, settings: ServiceSettings) -> Response:
    inputs.check_count("values", len(request.values), settings.request_steps)
    draw = _draw(request, request.temperature)
    origin = await model.code(_code(request.origin), replace(draw, temperature=0.0))
    if request.dimension >= origin.size:
        raise InvalidInput(f"dimension goes from 0 to {origin.size - 1}")
    codes = np.repeat(origin[None], len(request.values), axis=0)
    codes.reshape(len(codes), -1)[:, request.dimension] = request.values
    arrays = await model.decode(codes, draw)
    return _pack(model, draw, schemas.TraverseResponse, _chosen(arrays, request.outputs, _DEFAULT))


@router.post("/score", response_model=schemas.ScoreResponse)
async def score(request: schemas.ScoreRequest, model: Served, settings: ServiceSettings) -> Response:
    draw = _draw(request, 1.0)
    scores = await score_rows(model, request.x, request.samples, request.target_std_error, draw, settings)
    fields = {
        "kind": "exact" if scores.is_exact else "lower_bound",
        "unit": "nats",
        "samples": scores.samples,
        "rows": list(_score_rows(model, scores)),
    }
    return _pack(model, draw, schemas.ScoreResponse, fields)


@router.post("/complete", response_model=schemas.CompleteResponse)
async def complete(request: schemas.CompleteRequest, model: Served) -> Response:
    draw = _draw(request, request.temperature)
    arrays = await model.complete(request.x, request.mask, draw)
    fields = _chosen(arrays, request.outputs, _DEFAULT) | {"conditioning": model.conditioning(request.mask)}
    return _pack(model, draw, schemas.CompleteResponse, fields)


@router.post("/criticize", response_model=schemas.CriticizeResponse)
async def criticize(request: schemas.CriticizeRequest, model: Served) -> Response:
    draw = _draw(request, 1.0)
    arrays = await model.criticize(request.x, draw)
    fields = {"realness": arrays["realness"], "realness_kind": model.manifest.realness_kind}
    return _pack(model, draw, schemas.CriticizeResponse, fields)


def _draw(request: schemas.Request, temperature: float) -> Draw:
    seed = secrets.randbelow(2**53) if request.seed is None else request.seed
    return Draw(seed, request.index, temperature, request.label)


def _code(end: schemas.PathEnd) -> Code:
    return Code(end.x, end.z, end.seed or 0, end.index)


def _chosen(arrays: Arrays, wanted: list[str] | None, default: tuple[str, ...]) -> Arrays:
    """The outputs asked for; InvalidInput if one of them is none."""
    names = wanted if wanted is not None else [name for name in default if name in arrays]
    if not set(names) <= set(arrays):
        raise InvalidInput(f"outputs may be {', '.join(arrays)}")
    return {name: arrays[name] for name in names}


def _pack(model: ServedModel, draw: Draw, kind: type[AnyResponse], fields: dict[str, Any] | Arrays) -> Response:
    """The answer as JSON, and in its headers who gave it."""
    started = time.perf_counter()
    manifest = model.manifest
    answer = kind(
        model=manifest.name,
        version=manifest.version,
        digest=model.digest,
        seed=draw.seed,
        index=draw.index,
        **fields,
        **_reasons(fields),
    )
    headers = {
        "Reparam-Model": f"{manifest.name}/{manifest.version}",
        "Reparam-Digest": model.digest,
        "Reparam-Seed": str(draw.seed),
    }
    response = Response(encoding.dump(answer), media_type="application/json", headers=headers)
    trace.current().encode = time.perf_counter() - started
    return response


def _reasons(fields: dict[str, Any] | Arrays) -> dict[str, list[str | None]]:
    """For each row why it holds nulls, if any does."""
    tensors = [value for value in fields.values() if isinstance(value, np.ndarray)]
    if all(np.isfinite(tensor).all() for tensor in tensors):
        return {}
    finite = np.all([np.isfinite(tensor).reshape(len(tensor), -1).all(axis=1) for tensor in tensors], axis=0)
    return {"reasons": [None if row else _NOT_FINITE for row in finite]}


def _score_rows(model: ServedModel, scores: Scores) -> Iterator[schemas.ScoreRow]:
    """A row each, numbers that are not finite as null."""
    bound, error = (_nullable(values) for values in scores.importance_weighted_bound)
    elbo, elbo_error = (_nullable(values) for values in scores.elbo)
    size = _nullable(scores.effective_sample_size)
    percentile = [None] * len(bound) if scores.percentile is None else _nullable(scores.percentile)
    terms = {name: _nullable(values) for name, values in scores.terms.items()}
    nats_of_a_bit_a_dimension = np.log(2) * np.prod(model.manifest.shapes["x"])
    for i, value in enumerate(bound):
        is_discrete = model.manifest.x.support != "real"
        yield schemas.ScoreRow(
            elbo=elbo[i],
            elbo_std_error=elbo_error[i],
            importance_weighted_bound=value,
            importance_weighted_bound_std_error=error[i],
            effective_sample_size=size[i],
            reliable=bool(scores.reliable[i]),
            bits_per_dim=-value / nats_of_a_bit_a_dimension if value is not None and is_discrete else None,
            percentile=percentile[i],
            terms={name: values[i] for name, values in terms.items()},
            reason=_NOT_FINITE if value is None or elbo[i] is None else None,
        )


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
