"""What an operation takes and gives, in the inference protocol's terms."""

from collections.abc import Iterable

from models.manifest import SAMPLED, Manifest, OperationName
from service.inference import datatype
from service.schemas.models import OperationMetadata, TensorMetadata


def operation_metadata(manifest: Manifest, name: OperationName) -> OperationMetadata:
    operation = manifest.operations[name]
    is_sampled = name in SAMPLED
    return OperationMetadata(
        inputs=_tensors(manifest, name, manifest.inputs(name)),
        noise=_tensors(manifest, name, operation.noise, has_samples=is_sampled),
        outputs=_tensors(manifest, name, operation.outputs, has_samples=is_sampled),
    )


def _tensors(
    manifest: Manifest, name: OperationName, tensors: Iterable[str], *, has_samples: bool = False
) -> list[TensorMetadata]:
    free = [-1, -1] if has_samples else [-1]
    return [
        TensorMetadata(name=tensor, datatype=datatype(tensor), shape=[*free, *manifest.shape(name, tensor)])
        for tensor in tensors
    ]
