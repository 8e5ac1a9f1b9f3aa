"""A recipe: all that a model was trained from, read from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError

from models.fields import Frozen, Name
from training.errors import RecipeError

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Data(Frozen):
    """`source` is a known data set's name or the path of a .npy or .npz file; `support` overrides what it shows."""

    source: str
    support: Literal["binary", "levels", "real"] | None = None


class Training(Frozen):
    """How the loop runs. The learning rate rises over `warmup_steps` and falls by a cosine to nothing."""

    epochs: Positive
    batch_size: Positive = 128
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    warmup_steps: Annotated[int, Field(ge=0)] = 300
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    gradient_clip: Annotated[float, Field(gt=0)] | None = None
    ema: Share = 0.999
    patience: Positive | None = None
    precision: Literal["32-true", "bf16-mixed"] = "32-true"
    threads: Positive = 2


class Evaluation(Frozen):
    """The numbers of samples at which the importance weighted bound of the test split is measured."""

    samples: tuple[Positive, ...] = (1, 10, 100, 1000, 5000)


class Recipe(Frozen):
    """The whole file; `model` holds the options that the family declares."""

    name: Name
    title: str
    family: str
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    data: Data
    model: dict[str, JsonValue] = {}
    training: Training
    evaluation: Evaluation = Evaluation()


def read(path: Path) -> Recipe:
    """The recipe in `path`; RecipeError names the key that is wrong."""
    try:
        content = tomllib.loads(path.read_text())
    except OSError as error:
        raise RecipeError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path} is not TOML: {error}") from error
    try:
        return Recipe.model_validate(content)
    except ValidationError as error:
        raise RecipeError(f"{path}: {first_complaint(error)}") from error


def first_complaint(error: ValidationError) -> str:
    """The first thing that is wrong and its place, in one line."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc'])) or 'the recipe'}: {first['msg']}"
