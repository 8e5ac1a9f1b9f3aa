"""Small families, trained by the project's own loop in seconds and without a trace."""

from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from training.build import build
from training.datasets.splits import Dataset
from training.family import Family
from training.recipe import Data, Recipe, Training
from training.trainer import fit


class Learned(NamedTuple):
    """The trained family, and its losses an epoch."""

    family: Any
    history: list[dict[str, float]]


def learn(
    family: str,
    model: Mapping[str, Any],
    dataset: Dataset,
    prepare: Callable[[Family], None] = lambda family: None,
    **training: Any,
) -> Learned:
    """As a recipe with this [model] and [training] would; `prepare` may change the family before it learns."""
    settings = Training(threads=1, warmup_steps=0, **training)
    recipe = Recipe(
        name="theory", title="Theory", family=family, data=Data(source=dataset.name), model=model, training=settings
    )
    untrained = build(recipe, dataset)
    prepare(untrained)
    with TemporaryDirectory() as folder:
        fitted = fit(untrained, dataset, recipe, Path(folder) / "checkpoint.pt", "cpu")
    return Learned(untrained, fitted.history)
