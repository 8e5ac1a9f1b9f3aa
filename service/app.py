"""The application, put together."""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp

from service import errors
from service import loader as loaders
from service.envelope import Envelope
from service.gate import Gate, check_guarded
from service.journal import Journal
from service.loader import Loader
from service.metrics import SHARED, Metrics
from service.portions import Portions
from service.rates import SharedCounts
from service.registry import Registry
from service.routes import generative, health, infer, inference_protocol, model_statistics, models, page
from service.routes.dependencies import ANY, newest, pinned, problems
from service.routes.hot import Hot
from service.settings import Settings
from service.statistics import Statistics
from service.watch import looks

_STANDARD_OUTPUT = 1


def create_app(
    settings: Settings,
    *,
    loader: Loader | None = None,
    load_first: bool = False,
    when_loaded: Callable[[], None] = lambda: None,
) -> FastAPI:
    """The service for these settings; its models are loaded in the background once it has started, or before.

    Whoever has started a loader gives it; else the settings say whether there is one.
    """
    check_guarded(settings)
    metrics, statistics = Metrics(), Statistics(os.environ.get(SHARED))
    app = _Service(
        title="Reparam",
        summary="Deep generative models over HTTP: sample, encode, decode, reconstruct, interpolate, score",
        lifespan=_lifespan,
        redirect_slashes=False,
        responses=problems(*ANY),
        openapi_url="/openapi.json" if settings.docs else None,
        redoc_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # the service has its own
    )
    app.state.settings = settings
    app.state.metrics = metrics
    app.state.statistics = statistics
    app.state.load_first = load_first
    app.state.when_loaded = when_loaded
    app.state.registry = registry = Registry(settings, metrics, loader or loaders.start(settings))
    app.add_middleware(Hot, registry=registry, body_bytes=settings.json_body_bytes)
    app.state.journal = journal = Journal(_STANDARD_OUTPUT if settings.journal else None, metrics)
    app.add_middleware(Gate, settings=settings, limiter=FixedWindowRateLimiter(SharedCounts(settings.rate_file)))
    app.add_middleware(Portions, most=settings.unread_bytes, metrics=metrics)
    app.add_middleware(
        Envelope, metrics=metrics, statistics=statistics, journal=journal, timeout_seconds=settings.timeout_seconds
    )
    errors.install(app)
    _include_of_a_model(app, generative.router, infer.router)  # first what is asked for most: routes are tried in turn
    for router in (
        health.router,
        *([health.scraped] if settings.metrics else []),
        inference_protocol.server,
        model_statistics.server,
        models.listing,
        page.router,
    ):
        app.include_router(router)  # before those of a model: "stats" is no model's name
    _include_of_a_model(app, models.router, inference_protocol.model, model_statistics.model)
    return app


class _Service(FastAPI):
    """FastAPI without the layers that it puts around the service's own: bugs are the envelope's, sizes the door's."""

    def build_middleware_stack(self) -> ASGIApp:
        layer: Any = super().build_middleware_stack()
        while not isinstance(layer, Envelope):
            layer = layer.app
        return layer


def _include_of_a_model(app: FastAPI, *routers: APIRouter) -> None:
    for path, find in (("/v2/models/{model}", newest), ("/v2/models/{model}/versions/{version}", pinned)):
        for router in routers:
            app.include_router(router, prefix=path, dependencies=[Depends(find)])


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    registry: Registry = app.state.registry
    if app.state.load_first:
        await _load(app)
    watching = asyncio.create_task(_watch(app))
    try:
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        registry.close()
        app.state.journal.close()


async def _load(app: FastAPI) -> None:
    """What there is."""
    await _look(app)
    gc.collect()
    gc.freeze()  # what is here now stays; without it the collector's walks show in the slowest answers
    app.state.when_loaded()


async def _watch(app: FastAPI) -> None:
    """Load what there is, unless it has been, and what comes."""
    registry: Registry = app.state.registry
    settings: Settings = app.state.settings
    if not registry.loaded:
        await _load(app)
    async for _ in looks(settings.repository, settings.watch_seconds):
        await _look(app)


async def _look(app: FastAPI) -> None:
    registry: Registry = app.state.registry
    await registry.look()
    versions = {entry.key for entry in registry.entries()}
    app.state.metrics.keep(versions)
    app.state.statistics.keep(versions)
