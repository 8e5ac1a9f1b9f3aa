"""What the generative verbs answer, and health and errors with them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from models.manifest import OperationName
from service.encoding.nested import Tensor


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


class Health(BaseModel):
    """Alive, or ready; `remarks` say what is wrong though it serves."""

    status: Literal["alive", "ready"]
    remarks: list[str] | None = None


class Problem(BaseModel):
    """Every error's shape (RFC 9457); `error` repeats the detail for inference protocol clients."""

    type: str
    title: str
    status: int
    detail: str
    error: str
    request_id: str
    operations: list[OperationName] | None = None
