"""An inference of the Open Inference Protocol as a call of a model."""

import secrets
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from numpy.typing import NDArray

from models.manifest import SAMPLED, Manifest, OperationName
from service.draw import Draw
from service.errors import InvalidInput
from service.schemas.inference import InferParameters
from service.scoring import check_samples
from service.served_model import ServedModel

_TEMPERATURES: dict[OperationName, float] = {"sample": 1.0, "complete": 1.0, "encode": 0.0, "decode": 0.0}
_SAMPLES = 16

Tensors = Mapping[str, NDArray[Any]]


class Inference(NamedTuple):
    """What ServedModel.infer takes, in its order."""

    operation: OperationName
    rows: int
    given: dict[str, NDArray[Any]]
    draw: Draw
    samples: range | None


def default_operation(manifest: Manifest) -> OperationName:
    """`sample` where it exists, else `encode`, else the first."""
    preferred: tuple[OperationName, ...] = ("sample", "encode", *manifest.operations)
    return next(name for name in preferred if name in manifest.operations)


def datatype(tensor: str) -> Literal["FP32", "INT64"]:
    return "INT64" if tensor == "label" else "FP32"


def prepare(model: ServedModel, parameters: InferParameters, tensors: Tensors) -> Inference:
    """InvalidInput, LimitExceeded or CapabilityNotSupported if the model cannot be asked so."""
    operation = parameters.operation or default_operation(model.manifest)
    model.outputs(operation)  # refused if the model lacks it
    _check_names(model.manifest, operation, tensors)
    given = {name: tensor for name, tensor in tensors.items() if name != "label"}
    rows = _rows(operation, parameters, tensors)
    samples = _samples(model, operation, parameters, given, rows)
    label = tensors["label"].tolist() if "label" in tensors else None
    if label is not None and tensors["label"].ndim != 1:
        raise InvalidInput("label has the shape [rows]")
    seed = secrets.randbelow(2**53) if parameters.seed is None else parameters.seed
    draw = Draw(seed, parameters.index, _temperature(operation, parameters), label)
    return Inference(operation, rows, given, draw, samples)


def _check_names(manifest: Manifest, operation: OperationName, tensors: Tensors) -> None:
    needed, noise = manifest.inputs(operation), manifest.operations[operation].noise
    if set(needed) <= set(tensors) <= {*needed, *noise}:
        return
    takes = ", ".join(needed) or "no inputs"
    besides = f", and as noise {', '.join(noise)}" if noise else ""
    raise InvalidInput(f"{operation} of {manifest.name} takes {takes}{besides}")


def _rows(operation: OperationName, parameters: InferParameters, tensors: Tensors) -> int:
    """As many as the tensors have; for samples without any, as many as are asked for."""
    lengths = [len(tensor) for name, tensor in tensors.items() if name != "label"]
    if parameters.num_samples is not None:
        if operation != "sample":
            raise InvalidInput("num_samples goes with sample")
        return parameters.num_samples
    if lengths:
        return lengths[0]
    return len(tensors["label"]) if "label" in tensors else 1


def _samples(
    model: ServedModel, operation: OperationName, parameters: InferParameters, given: Tensors, rows: int
) -> range | None:
    if operation not in SAMPLED:
        if parameters.samples is not None:
            raise InvalidInput(f"samples goes with {', '.join(SAMPLED)}")
        return None
    noise = model.manifest.operations[operation].noise
    sent = {given[name].shape[1] for name in noise if name in given and given[name].ndim > 1}
    asked = sent | ({parameters.samples} if parameters.samples else set()) or {_SAMPLES}
    if len(asked) > 1:
        raise InvalidInput("the noise has another number of samples than was asked for")
    samples = asked.pop()
    check_samples(rows, samples, model.settings)
    return range(samples)


def _temperature(operation: OperationName, parameters: InferParameters) -> float:
    if operation in _TEMPERATURES:
        default = _TEMPERATURES[operation]
        return default if parameters.temperature is None else parameters.temperature
    if parameters.temperature is not None:
        raise InvalidInput(f"{operation} takes no temperature")
    return 1.0
