"""The modes that the shipped recipes of the ring find over ten seeds, as their table tells."""

import json
import math
from pathlib import Path
from statistics import fmean, stdev
from typing import NamedTuple

from training.theory.claim import Claim

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


def claims_of(counted: dict[str, Counts]) -> list[Claim]:
    """None where there are no counts."""
    if not counted:
        return []
    gan, wgan = (counted[recipe] for recipe in _RECIPES)
    return [
        *(
            Claim(f"seeds that the recipe {recipe} was trained from in full", 10, found.seeds)
            for recipe, found in counted.items()
        ),
        Claim(
            "over these the Wasserstein GAN's recipe finds no fewer modes on average than the GAN's",
            gan.modes,
            wgan.modes,
            std_error=math.hypot(gan.modes_error, wgan.modes_error),
            relation=">",
        ),
    ]


def told_of(counted: dict[str, Counts]) -> str:
    if not counted:
        return "The counts over ten seeds are missing here: they stand in docs/gans.json of the project."
    found = (
        f"{recipe} finds {of.modes:.2f} of 8 modes, {of.high_quality:.1f} % of samples of high quality"
        for recipe, of in counted.items()
    )
    return f"Over ten seeds and in full {' and '.join(found)}."


def _counts(rows: list[dict[str, float]]) -> Counts:
    modes = [row["modes"] for row in rows]
    return Counts(
        len({row["seed"] for row in rows}),
        fmean(modes),
        stdev(modes) / len(modes) ** 0.5,
        fmean(row["high_quality"] for row in rows),
    )
