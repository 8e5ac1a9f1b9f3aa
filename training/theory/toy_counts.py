"""The modes that the shipped recipes of the ring find over ten seeds, as their table tells."""

import json
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

TABLE = Path(__file__).parents[2] / "docs" / "gans.json"

_RECIPES = ("gan-ring", "wgan-gp-ring")


class Counts(NamedTuple):
    """Of one recipe: how many seeds, the mean of their modes and its standard error, the mean share of high quality."""

    seeds: int
    modes: float
    modes_error: float
    high_quality: float


def counts(table: Path = TABLE) -> dict[str, Counts]:
    """By the recipe; nothing where there is no such table, as in an installed package."""
    if not table.exists():
        return {}
    rows = json.loads(table.read_text())
    return {recipe: _counts([row for row in rows if row["recipe"] == recipe]) for recipe in _RECIPES}


def _counts(rows: list[dict[str, float]]) -> Counts:
    modes = [row["modes"] for row in rows]
    return Counts(
        len({row["seed"] for row in rows}),
        fmean(modes),
        stdev(modes) / len(modes) ** 0.5,
        fmean(row["high_quality"] for row in rows),
    )
