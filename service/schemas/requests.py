"""What the generative verbs take."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, model_validator
from pydantic_core import PydanticCustomError

from service.encoding.nested import Tensor
from service.interpolation import Path

_MAX_SEED = 2**53 - 1
_MAX_FLOAT32 = (2 - 2**-23) * 2.0**127

Seed = Annotated[int, Field(ge=0, le=_MAX_SEED, description="drawn by the server if missing, and always answered")]
Index = Annotated[int, Field(ge=0, le=_MAX_SEED, description="the first row's place in the seed's stream")]
Temperature = Annotated[float, Field(ge=0, le=2, description="scales all noise; 0 is deterministic")]
OneLabel = Annotated[int, Field(ge=0, le=2**31 - 1)]
Label = Annotated[
    Annotated[OneLabel, Tag("one")] | Annotated[list[OneLabel], Field(min_length=1, fail_fast=True), Tag("each")],
    Discriminator(lambda given: "each" if isinstance(given, list) else "one"),
]
Value = Annotated[float, Field(ge=-_MAX_FLOAT32, le=_MAX_FLOAT32)]
Outputs = Annotated[list[str], Field(min_length=1, max_length=16, description="names of the outputs wanted")]
Count = Annotated[int, Field(ge=1)]


class Strict(BaseModel):
    """Taken as it is written or not at all."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, allow_inf_nan=False, arbitrary_types_allowed=True
    )

    @model_validator(mode="before")
    @classmethod
    def _has_few_keys(cls, given: Any) -> Any:
        """Refused as a whole: each unknown key would become an error of its own, and a body can hold a million."""
        if isinstance(given, dict) and len(given) > 2 * len(cls.model_fields):
            raise PydanticCustomError("keys", "Input has more keys than there are fields")
        return given


class Request(Strict):
    """What every verb takes."""

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


class PathEnd(Strict):
    """An example to encode, a code, or the code of a sample: one of the three, without batch axis."""

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
    values: Annotated[list[Value], Field(min_length=1, fail_fast=True)]


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
