"""Where a model came from, and what was measured of it."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, JsonValue

from models.fields import Frozen, Sha256, Size

_MOST_DEPTH = 16


class Figure(Frozen):
    """A measured number, never without its unit and error; `std_error` is over the examples."""

    value: float
    std_error: float | None = None
    unit: str
    split: str
    examples: Size


def _no_deeper(recipe: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """ValueError if it is nested as no recipe is, and as answers in JSON must not be."""
    level: list[JsonValue] = [recipe]
    for _ in range(_MOST_DEPTH):
        level = [inner for outer in level for inner in _within(outer)]
    if any(isinstance(value, dict | list) for value in level):
        raise ValueError(f"a recipe is at most {_MOST_DEPTH} levels deep")
    return recipe


def _within(value: JsonValue) -> Iterable[JsonValue]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


class Provenance(Frozen):
    """Where the model came from: enough to make it again.

    `other_seeds` has the values that some figures take when the same recipe is followed with the seeds after its own.
    """

    recipe: Annotated[dict[str, JsonValue], AfterValidator(_no_deeper)]
    data: str
    data_digest: Sha256
    figures: dict[str, Figure]
    other_seeds: dict[str, tuple[float, ...]] = {}
    parameters: Size
    minutes: float
    versions: dict[str, str]
    commit: str | None = None
    command: str
