"""One recipe followed from data to a published bundle."""

from pathlib import Path

from models.repository import Repository
from training import build
from training.evaluation.judging import judge_of
from training.processes import is_first
from training.publication import publish
from training.recipe import read
from training.trainer import fit


def train(path: Path, repository: Path, runs: Path, *, restart: bool = False, device: str = "auto") -> Path | None:
    """Follow the recipe at `path`; returns the folder of the new version, or None if another process publishes it.

    A run that was stopped goes on from its last epoch, kept below `runs`, unless `restart` says otherwise.
    """
    recipe = read(path)
    dataset = build.load(recipe)
    family = build.build(recipe, dataset)
    if recipe.evaluation.judge is not None:
        judge_of(recipe.evaluation.judge, dataset, Repository(repository))  # refused now, not after the training
    checkpoint = runs / recipe.name / "checkpoint.pt"
    if restart and is_first():
        checkpoint.unlink(missing_ok=True)
    fitted = fit(family, dataset, recipe, checkpoint, device)
    if not is_first():
        return None
    folder = publish(family, dataset, recipe, fitted, Repository(repository))
    checkpoint.unlink()
    return folder
