"""From a trained family to a bundle in a repository, and to what the bundle says of itself."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import lightning_fabric
import numpy
import onnx
import onnxruntime
import torch
from pydantic import ValidationError
from safetensors.numpy import load, save

from models import golden
from models.manifest import Manifest
from models.provenance import Figure, Provenance
from models.repository import Repository, digests, read_bundle
from training import build
from training.datasets.splits import Dataset, Examples
from training.errors import DataError, RecipeError
from training.evaluation import evaluate
from training.evaluation.terms import calibrate
from training.export import TOLERANCE, export
from training.exported import Exported
from training.family import Family
from training.recipe import Recipe, first_complaint
from training.report import report
from training.report.card import card
from training.report.pictures import preview
from training.trainer import Fitted

_HISTORY, _FRAMES = "history.json", "frames.safetensors"


def measure(family: Family, dataset: Dataset, recipe: Recipe, repository: Repository) -> dict[str, Figure]:
    """The figures that a trained family would be published with."""
    operations, graphs, _ = export(family, dataset.validation, recipe.keep_back)
    return evaluate(Exported(operations, graphs), dataset, recipe.evaluation, repository)


def publish(
    family: Family,
    dataset: Dataset,
    recipe: Recipe,
    fitted: Fitted,
    repository: Repository,
    other_seeds: Mapping[str, tuple[float, ...]] | None = None,
) -> Path:
    """Export, measure and publish as the next version; returns its folder.

    `other_seeds` are the values of figures of the same recipe with the seeds after its own.
    """
    operations, graphs, rows = export(family, dataset.validation, recipe.keep_back)
    kept_back = family.operations().keys() - operations
    exported = Exported(operations, graphs)
    files = {
        **graphs,
        TOLERANCE.file: golden.pack(rows),
        _HISTORY: json.dumps(fitted.history, indent=0).encode(),
        **({} if fitted.frames is None else {_FRAMES: save({"frames": fitted.frames.numpy()})}),
    }
    version = max(repository.versions(recipe.name), default=0) + 1
    manifest = Manifest(
        name=recipe.name,
        version=version,
        family=recipe.family,
        title=recipe.title,
        x=dataset.example,
        labels=dataset.labels.names if dataset.labels else (),
        shapes=family.shapes(),
        operations=operations,
        absent={**family.absent, **dict.fromkeys(kept_back, "its recipe keeps that back")},
        realness_kind=family.realness_kind if "criticize" in operations else None,
        golden=TOLERANCE,
        calibration=calibrate(exported, dataset.examples("validation")),
        provenance=Provenance(
            recipe=recipe.model_dump(mode="json"),
            data=dataset.name,
            data_digest=dataset.digest,
            figures=evaluate(exported, dataset, recipe.evaluation, repository),
            other_seeds=dict(other_seeds or {}),
            parameters=sum(parameter.numel() for parameter in family.parameters()),
            minutes=round(fitted.minutes, 2),
            versions=_versions(),
            commit=_commit(),
            command=f"reparam-train --evaluate {_from_here(repository.root)}/{recipe.name}/{version}",
        ),
        digests=digests(files),
    )
    return repository.publish(manifest, files | _told(exported, manifest, dataset.examples("test"), files))


def evaluate_again(folder: Path) -> Manifest:
    """Measure a published bundle on the test split of its recipe's data; its card and report then say the new figures.

    RecipeError if its recipe is none of ours, DataError if the data are not those that it was trained on.
    """
    folder = folder.resolve()
    repository = Repository(folder.parent.parent)
    bundle = repository.read(folder.parent.name, folder.name)  # where it was published: there it is written anew
    try:
        recipe = Recipe.model_validate(bundle.manifest.provenance.recipe)
    except ValidationError as error:
        raise RecipeError(f"the recipe in {folder} is none of ours; {first_complaint(error)}") from error
    dataset = build.load(recipe)
    if dataset.digest != bundle.manifest.provenance.data_digest:
        raise DataError(f"{recipe.data.source} is not the data that {folder} was trained on: the digests differ")
    exported = Exported(bundle.manifest.operations, bundle.files)
    figures = evaluate(exported, dataset, recipe.evaluation, repository)
    manifest = _with_figures(bundle.manifest, figures)
    told = _told(exported, manifest, dataset.examples("test"), bundle.files)
    return read_bundle(repository.amend(manifest, {**bundle.files, **told})).manifest


def _with_figures(manifest: Manifest, figures: Mapping[str, Figure]) -> Manifest:
    provenance = manifest.provenance.model_copy(update={"figures": figures})
    return manifest.model_copy(update={"provenance": provenance})


def _told(exported: Exported, manifest: Manifest, test: Examples, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files for people, from the others."""
    picture = preview(exported, manifest, test)
    history = json.loads(files.get(_HISTORY, b"[]"))
    frames = load(files[_FRAMES])["frames"].astype(numpy.float32) if _FRAMES in files else None
    return {
        "card.md": card(manifest, history).encode(),
        "report.html": report(exported, manifest, history, test, frames),
        **({"preview.png": picture} if picture else {}),
    }


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
