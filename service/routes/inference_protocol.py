"""The Open Inference Protocol but for `infer`: health, metadata, the repository, statistics."""

from importlib.metadata import version
from typing import Any, Literal

from fastapi import APIRouter, Request

from service.encoding import json
from service.errors import AdminDisabled, InvalidInput, NotReady
from service.inference import default_operation
from service.routes.body import check_is_plain, read
from service.routes.dependencies import ModelRegistry, Served, ServiceSettings, problems
from service.routes.tensors import operation_metadata
from service.schemas.inference import (
    ConfigTensor,
    IndexEntry,
    ModelConfig,
    ModelReady,
    ServerLive,
    ServerMetadata,
    ServerReady,
)
from service.schemas.models import TensorMetadata
from service.settings import Settings

_REPOSITORY = problems(400, 403, 404, 413, 415, 422, 503)

server = APIRouter()
model = APIRouter(responses=problems(404, 422, 503))

_VERSION = version("reparam")
_EXTENSIONS = ["binary_tensor_data", "model_repository", "statistics"]
_TYPES: dict[str, Literal["TYPE_FP32", "TYPE_INT64"]] = {"FP32": "TYPE_FP32", "INT64": "TYPE_INT64"}


@server.get("/v2")
async def metadata() -> ServerMetadata:
    return ServerMetadata(name="reparam", version=_VERSION, extensions=_EXTENSIONS)


@server.get("/v2/health/live")
async def live() -> ServerLive:
    return ServerLive()


@server.get("/v2/health/ready", responses=problems(503))
async def ready(registry: ModelRegistry) -> ServerReady:
    if reasons := registry.reasons():
        raise NotReady("; ".join(reasons), retry_after=1)
    return ServerReady()


@server.post("/v2/repository/index", responses=problems(400, 413, 415, 422))
async def index(request: Request, registry: ModelRegistry, settings: ServiceSettings) -> list[IndexEntry]:
    """Every version of every bundle; with `{"ready": true}` those that serve."""
    asked = await _object(request, settings.json_body_bytes)
    entries = [IndexEntry(name=e.name, version=e.version, state=e.state, reason=e.reason) for e in registry.entries()]
    return [entry for entry in entries if entry.state == "READY" or asked.get("ready") is not True]


@server.post("/v2/repository/models/{model}/load", responses=_REPOSITORY)
async def load(request: Request, model: str, registry: ModelRegistry, settings: ServiceSettings) -> None:
    """Look again at a model of the repository; only where the setting `admin` allows it."""
    await _check_admin(request, settings)
    await registry.load(model)


@server.post("/v2/repository/models/{model}/unload", responses=_REPOSITORY)
async def unload(request: Request, model: str, registry: ModelRegistry, settings: ServiceSettings) -> None:
    """Serve it no more, until it is loaded again; only where the setting `admin` allows it."""
    await _check_admin(request, settings)
    await registry.unload(model)


@model.get("/ready")
async def model_ready(served: Served) -> ModelReady:
    return ModelReady(name=served.manifest.name)


@model.get("/config")
async def config(served: Served) -> ModelConfig:
    manifest = served.manifest
    tensors = operation_metadata(manifest, default_operation(manifest))
    return ModelConfig(
        name=manifest.name,
        max_batch_size=served.settings.request_rows,
        input=[_config(tensor) for tensor in tensors.inputs],
        output=[_config(tensor) for tensor in tensors.outputs],
    )


def _config(tensor: TensorMetadata) -> ConfigTensor:
    return ConfigTensor(name=tensor.name, data_type=_TYPES[tensor.datatype], dims=tensor.shape[1:])


async def _check_admin(request: Request, settings: Settings) -> None:
    """AdminDisabled where it is, InvalidInput if a client tries to bring the model along."""
    if not settings.admin:
        raise AdminDisabled(
            "models are loaded and unloaded over HTTP only where the service was started with --admin true"
        )
    asked = await _object(request, settings.json_body_bytes)
    parameters = asked.get("parameters", {})
    if not isinstance(parameters, dict) or set(parameters) - {"unload_dependents"}:
        raise InvalidInput("models come from the repository alone; neither config nor files can be sent")


async def _object(request: Request, limit: int) -> dict[str, Any]:
    """The body as a JSON object; clients of this protocol send none, an empty one, or one without a Content-Type."""
    check_is_plain(request.headers)
    body = await read(request, limit)
    asked = json.parse(body) if body else {}
    if not isinstance(asked, dict):
        raise InvalidInput("the body has to be a JSON object, or empty")
    return asked
