"""The modes that the shipped recipes of the ring find over ten seeds, as the bundles tell."""

import math
from collections.abc import Mapping
from typing import NamedTuple

from models.provenance import Figure
from models.repository import SHIPPED, Repository
from training.report.figures import over_seeds
from training.theory.claim import Claim

_RECIPES = ("gan-ring", "wgan-gp-ring")


class Counts(NamedTuple):
    """Of one recipe: how many seeds, the mean of their modes and its standard error, the mean share of high quality."""

    seeds: int
    modes: float
    modes_error: float
    high_quality: float


def counts(repository: Repository | None = None) -> dict[str, Counts]:
    """By the recipe, of its newest bundle among those that are shipped; nothing if one of them tells of no seeds."""
    repository = repository or Repository(SHIPPED)
    newest = {recipe: repository.versions(recipe)[-1:] for recipe in _RECIPES}
    means = {
        recipe: over_seeds(repository.read(recipe, version).manifest)
        for recipe, versions in newest.items()
        for version in versions
    }
    return {recipe: _counts(means[recipe]) for recipe in _RECIPES} if all(map(means.get, _RECIPES)) else {}


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
        return "The counts over ten seeds are missing here: the bundles that tell them are not installed."
    found = (
        f"{recipe} finds {of.modes:.2f} of 8 modes, {of.high_quality:.1f} % of samples of high quality"
        for recipe, of in counted.items()
    )
    return f"Over ten seeds and in full {' and '.join(found)}."


def _counts(means: Mapping[str, Figure]) -> Counts:
    modes = means["modes"]
    return Counts(modes.examples, modes.value, modes.std_error or 0.0, means["high_quality"].value)
