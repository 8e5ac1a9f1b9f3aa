"""Small data, small families, and what is dear enough to be made once: exports and whole trainings."""

from functools import cache
from typing import NamedTuple

import numpy as np
import pytest
import torch

from models.manifest import Example
from training import pipeline
from training.export import Export, export
from training.exported import Exported
from training.families import FAMILIES
from training.family import Family

EXAMPLES = {
    "bernoulli": Example(kind="image", support="binary", range=(0, 1)),
    "binomial": Example(kind="image", support="levels", range=(0, 4)),
    "gaussian": Example(kind="vector", support="real"),
}
SHAPES = {"bernoulli": (3, 4), "binomial": (3, 4), "gaussian": (7,)}
KINDS = [(family, likelihood) for family in FAMILIES for likelihood in EXAMPLES]
WIDTH = 40  # two such layers hold a matrix that is stored in half precision


def examples(likelihood, rows=120):
    """Rows that vary along one direction, so that a code of them is worth learning."""
    generator = np.random.default_rng(0)
    size = int(np.prod(SHAPES[likelihood]))
    signal = generator.normal(size=(rows, 1)) * np.linspace(-2, 2, size) + 0.3 * generator.normal(size=(rows, size))
    x = signal.reshape(rows, *SHAPES[likelihood])
    high = (EXAMPLES[likelihood].range or (0, None))[1]
    return x.astype(np.float32) if high is None else (high / (1 + np.exp(-x))).round().astype(np.uint8)


def build(family, likelihood, **options):
    """A family with random weights that are the same each time."""
    hidden = {"widths": [WIDTH, WIDTH], "activation": "tanh"}
    defaults = {"latent": 2, "likelihood": likelihood, "encoder": hidden, "decoder": hidden}
    torch.manual_seed(0)
    kind = FAMILIES[family]
    return kind(kind.Options.model_validate(defaults | options), EXAMPLES[likelihood], SHAPES[likelihood])


class Exports(NamedTuple):
    family: Family
    export: Export
    exported: Exported


@pytest.fixture(scope="session")
def exports():
    """exports(family, likelihood): an untrained family and its graphs, each made once."""

    @cache
    def make(family, likelihood):
        module = build(family, likelihood)
        made = export(module, examples(likelihood))
        return Exports(module, made, Exported(made.operations, made.graphs))

    return make


RECIPE = """
name = "{name}"
title = "A test"
family = "{family}"
[data]
source = "{source}"
[model]
latent = 2
likelihood = "{likelihood}"
encoder = {{ widths = [{width}, {width}] }}
decoder = {{ widths = [{width}, {width}] }}
[training]
epochs = 2
batch_size = 16
threads = 1
[evaluation]
samples = [1, 8]
"""


class Trained(NamedTuple):
    recipe: object
    repository: object
    runs: object
    folder: object


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """trained(family, likelihood): a whole training by a recipe, on data in a file, each made once."""
    root = tmp_path_factory.mktemp("training")

    @cache
    def make(family, likelihood):
        name = f"{family}-{likelihood}"
        source, recipe = root / f"{name}.npy", root / f"{name}.toml"
        np.save(source, examples(likelihood))
        written = RECIPE.format(name=name, family=family, likelihood=likelihood, source=source, width=WIDTH)
        recipe.write_text(written)
        repository, runs = root / "bundles", root / "runs"
        return Trained(recipe, repository, runs, pipeline.train(recipe, repository, runs, device="cpu"))

    return make
