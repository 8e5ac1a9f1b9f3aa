"""What operators ask: is it alive, is it ready, how is it doing."""

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.responses import Response

from service.errors import NotReady
from service.routes.dependencies import ModelRegistry, ServiceMetrics, problems
from service.schemas.responses import Health

router = APIRouter()
scraped = APIRouter()


@router.get("/livez", response_model_exclude_none=True)
async def livez() -> Health:
    """Alive, also while models are being loaded."""
    return Health(status="alive")


@router.get("/readyz", responses=problems(503), response_model_exclude_none=True)
async def readyz(registry: ModelRegistry) -> Health:
    """Ready when every bundle is loaded or refused and one at least serves; else 503 with the reasons."""
    if reasons := registry.reasons():
        raise NotReady("; ".join(reasons), retry_after=1)
    return Health(status="ready", remarks=registry.remarks() or None)


@scraped.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def metrics(collected: ServiceMetrics) -> Response:
    """In the text format of Prometheus."""
    return Response(collected.render(), headers={"Content-Type": CONTENT_TYPE_LATEST})
