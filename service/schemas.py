"""The HTTP contract in pydantic: a request and a response for each endpoint."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from models.manifest import Example, Figure, OperationName
from service.encoding import Tensor
from service.interpolation import Path

_MAX_SEED = 2**53 - 1

Seed = Annotated[int, Field(ge=0, le=_MAX_SEED, description="drawn by the server if missing, and always answered")]
Index = Annotated[int, Field(ge=0, le=_MAX_SEED, description="the first row's place in the seed's stream")]
Temperature = Annotated[float, Field(ge=0, le=2, description="scales all noise; 0 is deterministic")]
Label = int | Annotated[list[int], Field(min_length=1)]
Outputs = Annotated[list[str], Field(min_length=1, max_length=16, description="names of the outputs wanted")]
Count = Annotated[int, Field(ge=1)]


class Request(BaseModel):
    """What every verb takes."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    seed: Seed | None = None
    index: Index = 0
    label: Label | None = Field(None, description="for conditional models: one for all rows, or one a row")


class DrawRequest(Request):
    """What every verb takes that draws x."""

    temperature: Temperature = 0.0
    outputs: Outputs | None = None


class SampleRequest(DrawRequest):
    """Draw new examples."""

    num_samples: Count = 1
    temperature: Temperature = 1.0


class EncodeRequest(DrawRequest):
    """Codes of examples; temperature 0 gives the posterior's mean, 1 a draw from it."""

    x: Tensor


class DecodeRequest(DrawRequest):
    """Examples of codes."""

    z: Tensor


class ReconstructRequest(DrawRequest):
    """Encode and decode again."""

    x: Tensor


class PathEnd(BaseModel):
    """An example to encode, a code, or the code of a sample: one of the three, without batch axis."""

    model_config = Request.model_config

    x: Tensor | None = None
    z: Tensor | None = None
    seed: Seed | None = None
    index: Index = 0

    @model_validator(mode="after")
    def _is_one_of_three(self) -> "PathEnd":
        if [self.x is None, self.z is None, self.seed is None].count(False) != 1:
            raise ValueError("give one of x, z and seed")
        if self.seed is None and "index" in self.model_fields_set:
            raise ValueError("index goes with seed")
        return self


class InterpolateRequest(DrawRequest):
    """Decode the codes on a path between two."""

    start: PathEnd
    end: PathEnd
    steps: Annotated[int, Field(ge=2)] = 8
    path: Path = "spherical"


class TraverseRequest(DrawRequest):
    """Decode one code with one of its dimensions set to each of some values."""

    origin: PathEnd
    dimension: Annotated[int, Field(ge=0)]
    values: Annotated[list[float], Field(min_length=1)]


class ScoreRequest(Request):
    """Bounds of log p(x), or log p(x) itself where the model has it."""

    x: Tensor
    samples: Count = 16
    target_std_error: Annotated[float, Field(gt=0, description="draw on until the bound's error is below")] | None = (
        None
    )


class CompleteRequest(DrawRequest):
    """Keep x where the mask is 1 and draw the rest."""

    x: Tensor
    mask: Tensor
    temperature: Temperature = 1.0


class CriticizeRequest(Request):
    """How real a discriminator or critic finds examples."""

    x: Tensor


class Response(BaseModel):
    """What every verb answers: the model that answered, and how to have the same answer again."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    model: str
    version: int
    digest: str
    seed: int
    index: int


class TensorResponse(Response):
    """`reasons` stands here only if some value is not finite: for each row null, or why."""

    reasons: list[str | None] = []


class DrawResponse(TensorResponse):
    """`x`, its code `z` where there is one, and its expectation `mean` if asked for."""

    x: Tensor | None = None
    z: Tensor | None = None
    mean: Tensor | None = None


class SampleResponse(DrawResponse):
    """A row a sample."""


class DecodeResponse(DrawResponse):
    """A row a code."""


class ReconstructResponse(DrawResponse):
    """A row an example; `z` is the code that it went through."""


class InterpolateResponse(DrawResponse):
    """A row a step, both ends included."""


class TraverseResponse(DrawResponse):
    """A row a value."""


class CompleteResponse(DrawResponse):
    """`conditioning` is `exact` where the kept values are a prefix of the model's order, else `causal`."""

    conditioning: Literal["exact", "causal"]


class EncodeResponse(TensorResponse):
    """`mean` and `log_variance` are the posterior's; `kl_per_dimension` is in nats."""

    z: Tensor | None = None
    mean: Tensor | None = None
    log_variance: Tensor | None = None
    kl_per_dimension: Tensor | None = None


class CriticizeResponse(TensorResponse):
    """`realness_kind` is `logit` for a discriminator, `critic` for a value that carries an unknown constant."""

    realness: Tensor
    realness_kind: Literal["logit", "critic"]


class ScoreRow(BaseModel):
    """Nats a row, null where a value is not known or not finite.

    Standard errors are Monte Carlo errors of the bound; one sample has none. `reliable` says whether they can be
    trusted: the effective sample size is at least 30, or the value is exact. `percentile` is the share of validation
    examples with a lower bound at the calibration's number of samples; null where fewer were drawn.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    elbo: float | None
    elbo_std_error: float | None
    importance_weighted_bound: float | None
    importance_weighted_bound_std_error: float | None
    effective_sample_size: float | None
    reliable: bool
    bits_per_dim: float | None
    percentile: float | None
    terms: dict[str, float | None]
    reason: str | None = None


class ScoreResponse(Response):
    """`samples` is how many were drawn a row: more than asked for if a target was given."""

    kind: Literal["lower_bound", "exact"]
    unit: Literal["nats"] = "nats"
    samples: int
    rows: list[ScoreRow]


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
    """What an operation takes and gives."""

    inputs: list[TensorMetadata]
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
    figures: dict[str, Figure]
    provenance: dict[str, Any]


class Health(BaseModel):
    """Alive, or ready."""

    status: Literal["alive", "ready"]


class Problem(BaseModel):
    """Every error's shape (RFC 9457); `error` repeats the detail for inference protocol clients."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    request_id: str
    operations: list[OperationName] | None = None
