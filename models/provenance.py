"""Where a model came from, and what was measured of it."""

from pydantic import JsonValue

from models.fields import Frozen, Sha256, Size


class Figure(Frozen):
    """A measured number, never without its unit and error; `std_error` is over the examples of the split."""

    value: float
    std_error: float | None = None
    unit: str
    split: str
    examples: Size


class Provenance(Frozen):
    """Where the model came from: enough to make it again.

    `other_seeds` has the values that some figures take when the same recipe is followed with the seeds after its own.
    """

    recipe: dict[str, JsonValue]
    data: str
    data_digest: Sha256
    figures: dict[str, Figure]
    other_seeds: dict[str, tuple[float, ...]] = {}
    parameters: Size
    minutes: float
    versions: dict[str, str]
    commit: str | None = None
    command: str
