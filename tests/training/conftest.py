"""Small data, small families, and what is dear enough to be made once: exports and whole trainings."""

import fcntl
import json
import os
import pickle
from functools import cache
from hashlib import sha256
from typing import NamedTuple

import numpy as np
import pytest
import torch

from models.manifest import Example
from models.repository import read_bundle
from tests import tiny_bundle
from training import pipeline
from training.datasets import published
from training.export import Export, export
from training.exported import Exported
from training.families import FAMILIES
from training.family import Family

EXAMPLES = {
    "bernoulli": Example(kind="image", support="binary", range=(0, 1)),
    "binomial": Example(kind="image", support="levels", range=(0, 4)),
    "discretized_logistic": Example(kind="image", support="levels", range=(0, 255)),
    "gaussian": Example(kind="vector", support="real"),
}
SHAPES = {"bernoulli": (3, 4), "binomial": (3, 4), "discretized_logistic": (5, 3), "gaussian": (7,)}
LABELS = ("small", "middling", "great")
CONVOLUTIONAL = {"channels": [8, 12], "blocks": [1, 0]}
WIDTH = 40  # two such layers hold a matrix that is stored in half precision
HIDDEN = {"widths": [WIDTH, WIDTH], "activation": "tanh"}
ROWS = {"width": 20, "heads": 2, "layers": 2, "channels": 6, "dilations": [1, 2], "above": 2, "beside": 2, "window": 8}
CODED = {"latent": 2, "encoder": HIDDEN, "decoder": HIDDEN}
PLAYED = {"latent": 2, "generator": HIDDEN, "critic": HIDDEN}
OPTIONS = {"autoencoder": CODED, "autoregressive": {"network": HIDDEN}, "gan": PLAYED, "vae": CODED, "wgan": PLAYED}


class Member(NamedTuple):
    """One kind of model that a family makes: the likelihood of x, options, what is kept back, whether it has labels."""

    family: str
    likelihood: str
    options: dict = {}
    conditional: bool = False
    keep_back: tuple = ()

    @property
    def labels(self):
        return LABELS if self.conditional else ()


MEMBERS = {
    **{f"{family}-{likelihood}": Member(family, likelihood) for family in FAMILIES for likelihood in EXAMPLES},
    "vae-iwae": Member("vae", "bernoulli", {"objective": "iwae", "samples": 3}),
    "vae-learned-prior": Member("vae", "gaussian", {"prior": {"layers": 2}}),
    "vae-convolutional": Member(
        "vae",
        "bernoulli",
        {"encoder": CONVOLUTIONAL, "decoder": CONVOLUTIONAL, "prior": {"layers": 2}},
    ),
    "vae-kept-back": Member("vae", "bernoulli", keep_back=("score", "encode")),
    "vae-conditional": Member("vae", "binomial", {}, conditional=True),
    "vae-conditional-iwae": Member(
        "vae", "gaussian", {"objective": "iwae", "samples": 3, "prior": {"layers": 2}}, conditional=True
    ),
    "vae-conditional-convolutional": Member(
        "vae",
        "discretized_logistic",
        {"encoder": CONVOLUTIONAL, "decoder": CONVOLUTIONAL, "prior": {"layers": 2}, "samples": 2},
        conditional=True,
    ),
    "gan-minimax": Member("gan", "gaussian", {"objective": "minimax", "r1": 0.5, "r1_every": 2}),
    "gan-conditional-convolutional": Member(
        "gan", "discretized_logistic", {"generator": CONVOLUTIONAL, "critic": CONVOLUTIONAL}, conditional=True
    ),
    "wgan-clip": Member("wgan", "gaussian", {"constraint": "clip"}),
    "wgan-spectral": Member(
        "wgan", "discretized_logistic", {"constraint": "spectral_norm", "critic": CONVOLUTIONAL, "critic_steps": 1}
    ),
    "wgan-conditional": Member("wgan", "gaussian", {}, conditional=True, keep_back=("criticize",)),
    "autoregressive-mixture": Member("autoregressive", "bernoulli", {"network": HIDDEN | {"orders": 3}}),
    "autoregressive-rows": Member("autoregressive", "bernoulli", {"network": ROWS}),
    "autoregressive-rows-levels": Member("autoregressive", "discretized_logistic", {"network": ROWS | {"layers": 1}}),
}


def examples(likelihood, rows=120):
    """Rows that vary along one direction, so that a code of them is worth learning."""
    generator = np.random.default_rng(0)
    size = int(np.prod(SHAPES[likelihood]))
    signal = generator.normal(size=(rows, 1)) * np.linspace(-2, 2, size) + 0.3 * generator.normal(size=(rows, size))
    x = signal.reshape(rows, *SHAPES[likelihood])
    high = (EXAMPLES[likelihood].range or (0, None))[1]
    return x.astype(np.float32) if high is None else (high / (1 + np.exp(-2 * x))).round().astype(np.uint8)


def labels(rows=120):
    return np.arange(rows) % len(LABELS)


def data(member, rows=120):
    """x and label of a member as its methods take them: tensors, None for a label that it is not given."""
    kind = MEMBERS[member]
    label = torch.from_numpy(labels(rows)) if kind.conditional else None
    return torch.from_numpy(examples(kind.likelihood, rows)).float(), label


def build(family, likelihood, conditional=False, **options):
    """A family with random weights that are the same each time."""
    torch.manual_seed(0)
    kind = FAMILIES[family]
    asked = kind.Options.model_validate(model_options(family, likelihood) | options)
    return kind(asked, EXAMPLES[likelihood], SHAPES[likelihood], len(LABELS) if conditional else 0)


def model_options(family, likelihood):
    """A recipe's [model], without what a member adds."""
    stated = "likelihood" in FAMILIES[family].Options.model_fields
    return ({"likelihood": likelihood} if stated else {}) | OPTIONS[family]


def build_member(name):
    member = MEMBERS[name]
    return build(member.family, member.likelihood, member.conditional, **member.options)


class Exports(NamedTuple):
    family: Family
    export: Export
    exported: Exported


@pytest.fixture(scope="session")
def exports(tmp_path_factory):
    """exports(member): an untrained family and its graphs, each made once for all processes that test."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root

    @cache
    def make(name):
        module = build_member(name)
        weights, made = once(shared / f"{name}.export", lambda: untrained(module, MEMBERS[name]))
        module.load_state_dict(weights)
        return Exports(module.eval(), made, Exported(made.operations, made.graphs))

    return make


def untrained(module, member):
    """The weights that are exported, and the export."""
    for parameter in module.parameters():
        if not parameter.any():  # a prior that begins as the identity, biases of 0: what is exported is to show
            parameter.data += 0.1 * torch.randn(parameter.shape)
    made = export(module, examples(member.likelihood), member.keep_back)
    return module.state_dict(), made


def once(path, make):
    """What `make` gives to whoever comes first."""
    with path.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            path.write_bytes(pickle.dumps(make()))
    return pickle.loads(path.read_bytes())


RECIPE = """
name = "{name}"
title = "A test"
family = "{family}"
keep_back = {keep_back}
[data]
source = "{source}"
labels = {labels}
[model]
{model}
[training]
epochs = 2
batch_size = 16
threads = 1
[evaluation]
samples = [1, 8]
"""


def toml(value):
    """A value of a recipe as it is written there."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(inner)}" for key, inner in value.items()) + "}"
    return json.dumps(value)


class Trained(NamedTuple):
    recipe: object
    repository: object
    runs: object
    folder: object


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """trained(member): a whole training by a recipe, on data in a file, each made once."""
    root = tmp_path_factory.mktemp("training")

    @cache
    def make(name):
        member = MEMBERS[name]
        source, recipe = root / f"{name}.npz", root / f"{name}.toml"
        np.savez(source, x=examples(member.likelihood), label=np.array(LABELS)[labels()])
        model = model_options(member.family, member.likelihood) | member.options
        recipe.write_text(
            RECIPE.format(
                name=name,
                family=member.family,
                source=source,
                labels=toml(member.conditional),
                keep_back=toml(member.keep_back),
                model="\n".join(f"{key} = {toml(value)}" for key, value in model.items()),
            )
        )
        repository, runs = root / "bundles", root / "runs"
        return Trained(recipe, repository, runs, pipeline.train(recipe, repository, runs, device="cpu"))

    return make


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """place(name, content, known=True) puts a file below REPARAM_DATA and takes it for the published one."""
    monkeypatch.setenv("REPARAM_DATA", str(tmp_path))

    def place(name, content, known=True):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        if known:
            monkeypatch.setitem(published.SHA256, name, sha256(content).hexdigest())

    return place


@pytest.fixture
def opened(tmp_path):
    """opened(**options): the manifest of a tiny bundle, and its graphs."""

    def make(**options):
        bundle = read_bundle(tiny_bundle.publish(tmp_path / "tiny", **options))
        return bundle.manifest, Exported(bundle.manifest.operations, bundle.files)

    return make
