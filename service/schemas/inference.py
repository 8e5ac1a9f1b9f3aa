"""The inference protocol's requests and answers (KServe v2, with binary tensor data)."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.manifest import OperationName
from service.schemas.requests import Count, Index, Seed, Strict, Temperature

Size = Annotated[int, Field(ge=1, le=2**40)]
Bytes = Annotated[int, Field(ge=0, le=2**40)]
Name = Annotated[str, Field(max_length=64)]

_PASSED_OVER = ("sequence_", "triton_", "priority", "headers")  # reserved, and without a meaning here


class InferParameters(Strict):
    """`num_samples` goes with `sample`, `samples` with `score`; `timeout` is in microseconds."""

    operation: OperationName | None = None
    seed: Seed | None = None
    index: Index = 0
    temperature: Temperature | None = None
    num_samples: Count | None = None
    samples: Count | None = None
    timeout: Count | None = None
    binary_data_output: bool = False

    @model_validator(mode="before")
    @classmethod
    def _without_reserved(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if not name.startswith(_PASSED_OVER)}


class InputParameters(Strict):
    """`binary_data_size` is the tensor's number of bytes behind the JSON."""

    binary_data_size: Bytes | None = None


class InferInput(Strict):
    """A tensor: its values in `data`, nested or flat, or behind the JSON."""

    name: Name
    shape: Annotated[list[Size], Field(min_length=1, max_length=8, fail_fast=True)]
    datatype: Annotated[str, Field(max_length=8)]
    parameters: InputParameters = InputParameters()
    data: list[Any] | None = None

    @model_validator(mode="after")
    def _has_its_values_once(self) -> "InferInput":
        if (self.data is None) == (self.parameters.binary_data_size is None):
            raise ValueError("give data, or parameters.binary_data_size and the bytes behind the JSON")
        return self


class OutputParameters(Strict):
    """`binary_data` overrides what the request says of all outputs."""

    binary_data: bool | None = None


class RequestedOutput(Strict):
    """An output by name."""

    name: Name
    parameters: OutputParameters = OutputParameters()


class InferRequest(Strict):
    """Inputs are the operation's data by name, `label` among them; noise that is not sent is drawn from the seed."""

    id: Annotated[str, Field(max_length=256)] = ""
    parameters: InferParameters = InferParameters()
    inputs: Annotated[list[InferInput], Field(max_length=16, fail_fast=True)] = []
    outputs: Annotated[list[RequestedOutput], Field(max_length=16, fail_fast=True)] = []


class Answered(BaseModel):
    """What the protocol's calls answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class InferOutput(Answered):
    """A tensor: its values in `data`, flat, null where one is not finite; or behind the JSON."""

    name: str
    shape: list[int]
    datatype: Literal["FP32"]
    parameters: InputParameters | None = None
    data: list[float | None] | None = None


class InferResponse(Answered):
    """`parameters` say how to have the same answer again."""

    model_name: str
    model_version: str
    id: str | None = None
    parameters: dict[str, str | int | float]
    outputs: list[InferOutput]


class ServerMetadata(Answered):
    """Who answers, and which of the protocol's extensions it knows."""

    name: str
    version: str
    extensions: list[str]


class ServerLive(Answered):
    live: Literal[True] = True


class ServerReady(Answered):
    ready: Literal[True] = True


class ModelReady(Answered):
    name: str
    ready: Literal[True] = True


class IndexEntry(Answered):
    """One version in the repository; `reason` says why it is not READY."""

    name: str
    version: str
    state: Literal["READY", "UNAVAILABLE", "LOADING", "UNLOADING"]
    reason: str


class ConfigTensor(Answered):
    name: str
    data_type: Literal["TYPE_FP32", "TYPE_INT64"]
    dims: list[int]


class ModelConfig(Answered):
    """The default operation, in the terms of Triton's model configuration; `dims` are without the batch axis."""

    name: str
    platform: Literal["onnxruntime_onnx"] = "onnxruntime_onnx"
    backend: Literal["onnxruntime"] = "onnxruntime"
    max_batch_size: int
    input: list[ConfigTensor]
    output: list[ConfigTensor]


class Duration(Answered):
    """How often, and for how long in all."""

    count: int
    ns: int


class InferenceStatistics(Answered):
    """Of requests that were answered, but for `fail`; a run that served several counts for each of them."""

    success: Duration
    fail: Duration
    queue: Duration
    compute_input: Duration
    compute_infer: Duration
    compute_output: Duration
    cache_hit: Duration = Duration(count=0, ns=0)
    cache_miss: Duration = Duration(count=0, ns=0)


class ModelStatistics(Answered):
    """`inference_count` are rows, `execution_count` runs of a graph; `last_inference` is in milliseconds of 1970.

    `batch_stats` and `memory_usage` are the protocol's, and empty: /metrics has the sizes of the runs.
    """

    name: str
    version: str
    last_inference: int
    inference_count: int
    execution_count: int
    inference_stats: InferenceStatistics
    batch_stats: list[dict[str, int]] = []
    memory_usage: list[dict[str, int]] = []


class StatisticsResponse(Answered):
    model_stats: list[ModelStatistics]
