"""What the fields of manifests and recipes are made of."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Version = Annotated[int, Field(ge=1, le=999_999_999)]
FileName = Annotated[
    str, StringConstraints(pattern=r"^([a-z0-9][a-z0-9_-]{0,63}\.(onnx|safetensors|md|png|html)|history\.json)$")
]
TensorName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
ShapeName = Annotated[str, StringConstraints(pattern=r"^([a-z]+\.)?[a-z][a-z0-9_]{0,63}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Size = Annotated[int, Field(ge=1)]


class Frozen(BaseModel):
    """What is read from outside: immutable, unknown keys refused, nothing but finite numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
