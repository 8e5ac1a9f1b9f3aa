"""What endpoints ask for: the model of the path, the registry, the settings."""

from typing import Annotated, Any, cast

from fastapi import Depends, Request

from service import trace
from service.metrics import Metrics
from service.registry import Registry
from service.schemas.responses import Problem
from service.served_model import ServedModel
from service.settings import Settings
from service.statistics import Statistics

_PROBLEMS = {
    400: "malformed",
    401: "no API key that holds, where one is needed",
    403: "a key without this scope, a page of another site, or not allowed",
    404: "unknown model or version",
    405: "the route takes other methods",
    406: "no answer of an accepted type",
    408: "came too slowly",
    413: "too large",
    415: "type or encoding not taken",
    422: "well-formed but wrong, over a limit, or not supported by the model",
    429: "more requests than the key may make; Retry-After says when",
    431: "headers too many or too large",
    503: "busy or not ready; Retry-After says when",
    504: "deadline passed",
}
ANY = (400, 401, 403, 408, 413, 429, 431, 503, 504)  # whatever is asked for


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What an endpoint may answer besides its own type; all problems if no statuses are given."""
    content = {"application/problem+json": {"schema": Problem.model_json_schema()}}
    return {status: {"content": content, "description": _PROBLEMS[status]} for status in statuses or _PROBLEMS}


async def _registry(request: Request) -> Registry:
    return cast(Registry, request.app.state.registry)


async def _metrics(request: Request) -> Metrics:
    return cast(Metrics, request.app.state.metrics)


async def _statistics(request: Request) -> Statistics:
    return cast(Statistics, request.app.state.statistics)


async def _settings(request: Request) -> Settings:
    """Those of the path's model, where there is one: some limits are its own."""
    served: ServedModel | None = getattr(request.state, "served", None)
    return served.settings if served else cast(Settings, request.app.state.settings)


async def _served(request: Request) -> ServedModel:
    return cast(ServedModel, request.state.served)


ModelRegistry = Annotated[Registry, Depends(_registry)]
ServiceMetrics = Annotated[Metrics, Depends(_metrics)]
ServiceStatistics = Annotated[Statistics, Depends(_statistics)]
ServiceSettings = Annotated[Settings, Depends(_settings)]
Served = Annotated[ServedModel, Depends(_served)]


async def find(request: Request) -> ServedModel:
    """The model of the path, in its version if the path names one; a request keeps the model that it found."""
    if not hasattr(request.state, "served"):
        path = request.path_params
        request.state.served = await served_by(request.app.state.registry, path["model"], path.get("version"))
    return cast(ServedModel, request.state.served)


async def served_by(registry: Registry, model: str, version: str | None) -> ServedModel:
    """That version, or the newest if none is named; from here on the trace knows it."""
    served = registry.get(model) if version is None else await registry.pinned(model, version)
    here = trace.current()
    here.model, here.version = served.manifest.name, str(served.manifest.version)
    return served


async def newest(request: Request, model: str) -> None:
    """Find the newest version of the path's model."""
    await find(request)


async def pinned(request: Request, model: str, version: str) -> None:
    """Find that version of the path's model."""
    await find(request)
