"""A recipe: all that a model was trained from, read from a TOML file."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, JsonValue, ValidationError, model_validator

from models.fields import Frozen, Name
from models.manifest import OperationName
from training.errors import RecipeError

Positive = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, lt=1)]


class Data(Frozen):
    """`source` is a known data set's name or a path; `support` overrides what the values show.

    With `labels` the model is conditional on them; the data must have some.
    """

    source: str
    support: Literal["binary", "levels", "real"] | None = None
    labels: bool = False


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


class Paired(Frozen):
    """A number of samples above all of `samples`, for so many random examples of the test split."""

    samples: Positive = 5000
    examples: Positive = 500


class Evaluation(Frozen):
    """The numbers of samples at which the importance weighted bound of the test split is measured.

    `judge` names a bundle of the same repository that scores this model's samples.
    """

    samples: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1, 10, 100, 1000, 5000)
    paired: Paired | None = None
    judge: Name | None = None

    @model_validator(mode="after")
    def _pairs_with_more(self) -> "Evaluation":
        if self.paired is not None and self.paired.samples <= max(self.samples):
            raise ValueError(f"paired needs more samples than the {max(self.samples)} that all examples get")
        return self


class Headline(Frozen):
    """The figure by which the model is judged first, what others published for it, and where."""

    figure: str
    published: float | None = None
    source: str | None = None


class Recipe(Frozen):
    """The whole file; `model` holds the options that the family declares.

    Operations to `keep_back` are none of the bundle's. `notes` go into the card; {figure} stands for a figure's value,
    as in Python's str.format.
    """

    name: Name
    title: str
    family: str
    seed: Annotated[int, Field(ge=0, lt=2**31)] = 0
    data: Data
    model: dict[str, JsonValue] = {}
    training: Training
    evaluation: Evaluation = Evaluation()
    headline: Headline | None = None
    keep_back: tuple[OperationName, ...] = ()
    notes: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _headline_is_measured(self) -> "Recipe":
        samples = {*self.evaluation.samples, *([self.evaluation.paired.samples] if self.evaluation.paired else [])}
        measured = {f"bound_{count}" for count in samples}
        if self.headline and self.headline.figure.startswith("bound_") and self.headline.figure not in measured:
            raise ValueError(
                f"the headline {self.headline.figure} is not measured; [evaluation] samples says which are"
            )
        return self


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
