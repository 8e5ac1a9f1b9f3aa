"""One recipe followed from data to a published bundle."""

from collections.abc import Sequence
from pathlib import Path

from models.provenance import Figure
from models.repository import Repository
from training import build
from training.datasets.splits import Dataset
from training.errors import RecipeError
from training.evaluation.judging import judge_of
from training.family import Family
from training.processes import is_first
from training.publication import measure, publish
from training.recipe import Recipe, read
from training.trainer import Fitted, fit


def train(
    path: Path, repository: Path, runs: Path, *, seeds: int = 1, restart: bool = False, device: str = "auto"
) -> Path | None:
    """Follow the recipe at `path`; returns the folder of the new version, or None if another process publishes it.

    With several `seeds` it is followed as often, with its own seed and those after it; the first is published, and
    tells the figures of all. A run that was stopped goes on from its last epoch, kept below `runs`, unless `restart`
    says otherwise.
    """
    recipe = read(path)
    if seeds < 1:
        raise RecipeError(f"{seeds} seeds are none to train with; take 1 or more")
    dataset = build.load(recipe)
    build.build(recipe, dataset)  # what is wrong with it is refused now, not after the training
    if recipe.evaluation.judge is not None:
        judge_of(recipe.evaluation.judge, dataset, Repository(repository))
    folders = [
        runs / recipe.name,
        *(runs / recipe.name / f"seed-{recipe.seed + further}" for further in range(1, seeds)),
    ]
    checkpoints = [folder / "checkpoint.pt" for folder in folders]
    if restart and is_first():
        for checkpoint in checkpoints:
            checkpoint.unlink(missing_ok=True)
    first, *others = (
        _fit(recipe, further, dataset, checkpoint, device) for further, checkpoint in enumerate(checkpoints)
    )
    if not is_first():
        return None
    figures = [measure(family, dataset, recipe, Repository(repository)) for family, _ in others]
    folder = publish(first[0], dataset, recipe, first[1], Repository(repository), _over_seeds(figures))
    for checkpoint in checkpoints:
        checkpoint.unlink()
    return folder


def _fit(recipe: Recipe, further: int, dataset: Dataset, checkpoint: Path, device: str) -> tuple[Family, Fitted]:
    """With the seed that is so many after the recipe's own."""
    seeded = recipe.model_copy(update={"seed": recipe.seed + further})
    family = build.build(seeded, dataset)
    return family, fit(family, dataset, seeded, checkpoint, device)


def _over_seeds(figures: Sequence[dict[str, Figure]]) -> dict[str, tuple[float, ...]]:
    """The values of each figure that all have."""
    named = [name for name in (figures or [{}])[0] if all(name in each for each in figures)]
    return {name: tuple(each[name].value for each in figures) for name in named}
