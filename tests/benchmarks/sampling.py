"""Draws from the shipped autoregressive models: one run of the graph, beside a pass in PyTorch for each dimension."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from math import prod

import numpy as np
import torch

from models.repository import SHIPPED, Bundle, Repository
from tests.loops import DRAWS, mean_steps, saved, untrained
from training.exported import Exported
from training.families.autoregressive import Autoregressive

BATCHES = (1, 16, 64)
PASSES = 16  # of PyTorch's that are timed; as many as there are dimensions take in proportion


def run() -> None:
    print(f"sampling: exact draws, one thread; steps are means over {DRAWS} draws or a few more, times medians")
    torch.set_num_threads(1)
    repository = Repository(SHIPPED)
    for name, _ in repository.list():
        bundle = repository.read(name, repository.versions(name)[-1])
        if bundle.manifest.family == "autoregressive":
            compare(bundle)


def compare(bundle: Bundle) -> None:
    family = untrained(bundle)  # how long a pass takes is not a matter of its weights
    dimensions, parts = prod(family.shape), family.network.parts
    for batch in BATCHES:
        steps = mean_steps(bundle, batch)
        exported = Exported(bundle.manifest.operations, bundle.files)
        ours = _median(partial(_sample, exported, 0, batch))
        theirs = _median(partial(passes, family, batch)) * dimensions / PASSES
        print(
            f"  {bundle.manifest.name:<12} batch {batch:>2}  {steps:5.1f} steps of 1/{parts} of the network: "
            f"{steps / parts:5.1f} evaluations, {saved(bundle, steps):4.0f}x fewer than {dimensions}   "
            f"graph {1e3 * ours / batch:6.1f} ms a draw  {dimensions} passes {1e3 * theirs / batch:7.1f}  "
            f"ratio {theirs / ours:.0f}"
        )


def passes(family: Autoregressive, batch: int) -> None:
    """What going dimension by dimension does, for the first few: the whole network, then one value is set."""
    x = torch.zeros(batch, prod(family.shape))
    with torch.inference_mode():
        for dimension in range(PASSES):
            x[:, dimension] = (family.network(x)[:, 0, dimension] > 0).float()


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
