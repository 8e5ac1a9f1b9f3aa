"""One recipe followed from data to a published bundle."""

import subprocess
from pathlib import Path

import lightning_fabric
import numpy
import onnx
import onnxruntime
import torch
from pydantic import ValidationError

from models import golden
from models.manifest import Manifest
from models.provenance import Figure, Provenance
from models.repository import Repository, digests, read_bundle
from training import datasets
from training.errors import DataError, RecipeError
from training.evaluation import calibrate, evaluate
from training.export import TOLERANCE, export
from training.exported import Exported
from training.families import FAMILIES
from training.family import Family
from training.recipe import Recipe, first_complaint, read
from training.report import card, preview
from training.splits import Dataset
from training.trainer import Fitted, fit


def train(path: Path, repository: Path, runs: Path, *, restart: bool = False, device: str = "auto") -> Path:
    """Follow the recipe at `path`; returns the folder of the new version.

    A run that was stopped goes on from its last epoch, kept below `runs`, unless `restart` says otherwise.
    """
    recipe = read(path)
    dataset = datasets.load(recipe.data.source, recipe.data.support)
    family = build(recipe, dataset)
    checkpoint = runs / recipe.name / "checkpoint.pt"
    if restart:
        checkpoint.unlink(missing_ok=True)
    fitted = fit(family, dataset, recipe, checkpoint, device)
    folder = _publish(family, dataset, recipe, fitted, Repository(repository))
    checkpoint.unlink()
    return folder


def build(recipe: Recipe, dataset: Dataset) -> Family:
    """The untrained family of a recipe, its weights drawn from the recipe's seed."""
    if recipe.family not in FAMILIES:
        raise RecipeError(f"there is no family {recipe.family}; there are {', '.join(FAMILIES)}")
    kind = FAMILIES[recipe.family]
    try:
        options = kind.Options.model_validate(recipe.model)
    except ValidationError as error:
        raise RecipeError(f"{recipe.name}, [model]: {first_complaint(error)}") from error
    torch.manual_seed(recipe.seed)
    family = kind(options, dataset.example, dataset.shape)
    if dataset.example.range is None:
        family.standardize(*_units(dataset))
    return family


def _units(dataset: Dataset) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and standard deviation of each dimension over the training split; a constant dimension's deviation is 1."""
    rows = torch.from_numpy(dataset.train).flatten(1).double()
    spread = rows.std(dim=0, correction=0)
    return rows.mean(dim=0), torch.where(spread > 0, spread, torch.ones_like(spread))


def evaluate_bundle(folder: Path) -> dict[str, Figure]:
    """The figures of a published bundle on the test split of its recipe's data."""
    bundle = read_bundle(folder)
    try:
        recipe = Recipe.model_validate(bundle.manifest.provenance.recipe)
    except ValidationError as error:
        raise RecipeError(f"the recipe in {folder} is none of ours; {first_complaint(error)}") from error
    dataset = datasets.load(recipe.data.source, recipe.data.support)
    if dataset.digest != bundle.manifest.provenance.data_digest:
        raise DataError(f"{recipe.data.source} is not the data that {folder} was trained on: the digests differ")
    exported = Exported(bundle.manifest.operations, bundle.files)
    return evaluate(exported, dataset.test, recipe.evaluation.samples, "test")


def _publish(family: Family, dataset: Dataset, recipe: Recipe, fitted: Fitted, repository: Repository) -> Path:
    operations, graphs, rows = export(family, dataset.validation)
    exported = Exported(operations, graphs)
    files = {**graphs, TOLERANCE.file: golden.pack(rows)}
    version = max(repository.versions(recipe.name), default=0) + 1
    manifest = Manifest(
        name=recipe.name,
        version=version,
        family=recipe.family,
        title=recipe.title,
        x=dataset.example,
        shapes=family.shapes(),
        operations=operations,
        absent=dict(family.absent),
        golden=TOLERANCE,
        calibration=calibrate(exported, dataset.validation),
        provenance=Provenance(
            recipe=recipe.model_dump(mode="json"),
            data=dataset.name,
            data_digest=dataset.digest,
            figures=evaluate(exported, dataset.test, recipe.evaluation.samples, "test"),
            parameters=sum(parameter.numel() for parameter in family.parameters()),
            minutes=round(fitted.minutes, 2),
            versions=_versions(),
            commit=_commit(),
            command=f"reparam-train --evaluate {_from_here(repository.root)}/{recipe.name}/{version}",
        ),
        digests=digests(files),
    )
    files["card.md"] = card(manifest).encode()
    picture = preview(exported, manifest, dataset.test)
    return repository.publish(manifest, files | ({"preview.png": picture} if picture else {}))


def _from_here(folder: Path) -> Path:
    """As a person in the working folder would name it; elsewhere its name alone, for a bundle tells of no machine."""
    here, folder = Path.cwd(), folder.resolve()
    return folder.relative_to(here) if folder.is_relative_to(here) else Path(folder.name)


def _versions() -> dict[str, str]:
    packages = (torch, lightning_fabric, onnx, onnxruntime, numpy)
    return {package.__name__: package.__version__ for package in packages}


def _commit() -> str | None:
    """The commit of the code that trained, where it is in a repository."""
    here = Path(__file__).parent
    try:
        said = subprocess.run(["git", "-C", here, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return said.stdout.strip() or None
