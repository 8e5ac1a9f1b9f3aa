"""What is said of the models."""

from typing import Any, Literal

from pydantic import BaseModel

from models.manifest import Calibration, Example, OperationName
from models.provenance import Figure


class ModelState(BaseModel):
    """One version of one model, and why it does not serve if it does not."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE", "LOADING", "UNLOADING"]
    reason: str = ""
    operations: list[OperationName] = []
    title: str = ""


class ModelList(BaseModel):
    """Every bundle of the repository."""

    models: list[ModelState]


class TensorMetadata(BaseModel):
    """A tensor in the inference protocol's terms; -1 is a free axis."""

    name: str
    datatype: Literal["FP32", "INT64"]
    shape: list[int]


class OperationMetadata(BaseModel):
    """What an operation takes and gives; `noise` may be sent as further inputs, else it is drawn."""

    inputs: list[TensorMetadata]
    noise: list[TensorMetadata]
    outputs: list[TensorMetadata]


class ModelMetadata(BaseModel):
    """The inference protocol's metadata of the default operation, with the manifest's facts beside it."""

    name: str
    versions: list[str]
    platform: Literal["onnxruntime_onnx"] = "onnxruntime_onnx"
    inputs: list[TensorMetadata]
    outputs: list[TensorMetadata]
    parameters: dict[str, dict[OperationName, OperationMetadata]]
    version: int
    digest: str
    provider: str
    family: str
    title: str
    x: Example
    shapes: dict[str, list[int]]
    labels: list[str]
    operations: list[OperationName]
    absent: dict[OperationName, str]
    calibration: Calibration | None
    figures: dict[str, Figure]
    provenance: dict[str, Any]
