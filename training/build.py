"""The data and the untrained model of a recipe."""

import torch
from pydantic import ValidationError

from training import datasets
from training.datasets.splits import Dataset
from training.datasets.units import units
from training.errors import RecipeError
from training.families import FAMILIES
from training.family import Family
from training.recipe import Recipe, first_complaint


def load(recipe: Recipe) -> Dataset:
    """The recipe's data, with labels if it asks for them."""
    return datasets.load(recipe.data.source, recipe.data.support, recipe.data.labels)


def build(recipe: Recipe, dataset: Dataset) -> Family:
    """The untrained family of a recipe, its weights drawn from the recipe's seed."""
    if recipe.family not in FAMILIES:
        raise RecipeError(f"there is no family {recipe.family}; there are {', '.join(FAMILIES)}")
    kind = FAMILIES[recipe.family]
    try:
        options = kind.Options.model_validate(recipe.model)
    except ValidationError as error:
        raise RecipeError(f"{recipe.name}, [model]: {first_complaint(error)}") from error
    if dataset.labels and not kind.conditional:
        raise RecipeError(f"{recipe.name}, [data]: the family {recipe.family} takes no labels; leave labels out")
    torch.manual_seed(recipe.seed)
    family = kind(options, dataset.example, dataset.shape, dataset.classes)
    if not family.operations().keys() - set(recipe.keep_back):
        raise RecipeError(
            f"{recipe.name}: keep_back leaves nothing; the family {recipe.family} has {', '.join(family.operations())}"
        )
    if dataset.example.range is None:
        family.standardize(*units(dataset))
    return family
