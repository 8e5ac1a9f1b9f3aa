"""What there is to serve: the list of models, and what each one is."""

from fastapi import APIRouter
from starlette.responses import Response

from service.errors import NoPreview
from service.inference import default_operation
from service.routes.dependencies import ModelRegistry, Served, problems
from service.routes.tensors import operation_metadata
from service.schemas.models import ModelList, ModelMetadata, ModelState

listing = APIRouter()
router = APIRouter(responses=problems(404, 422, 503))


@listing.get("/v2/models")
async def models(registry: ModelRegistry) -> ModelList:
    """Every bundle of the repository, those that are refused with the reason."""
    return ModelList(
        models=[
            ModelState(
                name=entry.name,
                version=entry.version,
                state=entry.state,
                reason=entry.reason,
                operations=list(entry.model.manifest.operations) if entry.model else [],
                title=entry.model.manifest.title if entry.model else "",
            )
            for entry in registry.entries()
        ]
    )


@router.get("")
async def model(served: Served, registry: ModelRegistry) -> ModelMetadata:
    """The inference protocol's metadata, and the manifest's facts."""
    manifest = served.manifest
    operations = {name: operation_metadata(manifest, name) for name in manifest.operations}
    default = operations[default_operation(manifest)]
    return ModelMetadata(
        name=manifest.name,
        versions=[entry.version for entry in registry.versions(manifest.name)],
        inputs=default.inputs,
        outputs=default.outputs,
        parameters={"operations": operations},
        version=manifest.version,
        digest=served.digest,
        provider=registry.provider,
        family=manifest.family,
        title=manifest.title,
        x=manifest.x,
        shapes={name: list(shape) for name, shape in manifest.shapes.items()},
        labels=list(manifest.labels),
        operations=list(manifest.operations),
        absent=manifest.absent,
        calibration=manifest.calibration,
        figures=manifest.provenance.figures,
        provenance=manifest.provenance.model_dump(exclude={"figures"}, exclude_none=True),
    )


@router.get("/preview.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def preview(served: Served) -> Response:
    """The bundle's picture; 404 for models of vectors."""
    if served.preview is None:
        raise NoPreview(f"{served.manifest.name} comes without a picture")
    return Response(served.preview, media_type="image/png")
