"""Draws from the shipped autoregressive models: one run of the graph, beside a pass in PyTorch for each dimension."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np
import torch

from models.repository import SHIPPED, Bundle, Repository
from tests.loops import counted
from training.exported import Exported
from training.families import FAMILIES
from training.families.autoregressive import Autoregressive

DRAWS, BATCHES = 100, (1, 16, 64)
PASSES = 16  # of PyTorch's that are timed; as many as there are dimensions take in proportion


def run() -> None:
    print(f"sampling: exact draws, one thread; steps are means over {DRAWS} draws, times medians")
    torch.set_num_threads(1)
    repository = Repository(SHIPPED)
    for name, _ in repository.list():
        bundle = repository.read(name, repository.versions(name)[-1])
        if bundle.manifest.family == "autoregressive":
            compare(bundle)


def compare(bundle: Bundle) -> None:
    family = untrained(bundle)
    dimensions, parts = prod(family.shape), family.network.parts
    for batch in BATCHES:
        steps = mean_steps(bundle, batch)
        exported = Exported(bundle.manifest.operations, bundle.files)
        ours = _median(partial(_sample, exported, 0, batch))
        theirs = _median(partial(passes, family, batch)) * dimensions / PASSES
        evaluations = steps / parts
        print(
            f"  {bundle.manifest.name:<12} batch {batch:>2}  {steps:5.1f} steps of 1/{parts} of the network: "
            f"{evaluations:5.1f} evaluations, {dimensions / evaluations:4.0f}x fewer than {dimensions}   "
            f"graph {1e3 * ours / batch:6.1f} ms a draw  {dimensions} passes {1e3 * theirs / batch:7.1f}  "
            f"ratio {theirs / ours:.0f}"
        )


def mean_steps(bundle: Bundle, batch: int) -> float:
    """How often the sampler goes round for so many draws at once; it ends when the slowest does."""
    operations = bundle.manifest.operations
    sample = operations["sample"].model_copy(update={"outputs": ("steps",)})
    exported = Exported({"sample": sample}, {sample.graph: counted(bundle.files[sample.graph])})
    starts = range(0, DRAWS, batch)
    return statistics.fmean(int(_sample(exported, start, batch)["steps"]) for start in starts)


def passes(family: Autoregressive, batch: int) -> None:
    """What going dimension by dimension does, for the first few: the whole network, then one value is set."""
    x = torch.zeros(batch, prod(family.shape))
    with torch.inference_mode():
        for dimension in range(PASSES):
            x[:, dimension] = (family.network(x)[:, 0, dimension] > 0).float()


def untrained(bundle: Bundle) -> Autoregressive:
    """The bundle's network; how long a pass takes is not a matter of its weights."""
    manifest = bundle.manifest
    options = Autoregressive.Options.model_validate(manifest.provenance.recipe["model"])
    family = FAMILIES[manifest.family](options, manifest.x, manifest.shapes["x"])
    assert isinstance(family, Autoregressive)
    return family.eval()


def _sample(exported: Exported, index: int, rows: int) -> dict[str, np.ndarray]:
    return exported.run("sample", exported.draw("sample", index=index, rows=rows))


def _median(call: Callable[[], object], rounds: int = 5) -> float:
    call()
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
