"""A bundle made into graphs: inspected, loaded, and proved on its golden rows."""

import math
import time
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from models import golden
from models.errors import BundleError
from models.manifest import SAMPLED, Manifest, OperationName
from models.repository import Bundle
from service.graph import Arrays, Graph, GraphFailed, Provider, Stop
from service.inspection import inspect
from service.jobs import buckets


class Loaded(NamedTuple):
    """A graph that has proved itself, and the seconds that a row computed, or one sample of it."""

    graph: Graph
    seconds_per_row: float


def load(bundle: Bundle, provider: Provider, threads: int = 1, seconds: float = 30.0) -> dict[str, Loaded]:
    """The graphs by file name; BundleError if one is not what the manifest says or computes other numbers.

    The golden run is the warm-up too: what comes out has been run once for each operation, in so many seconds at most.
    A GPU may round to TF32 if the numbers hold with it.
    """
    if provider == "CUDAExecutionProvider":
        with suppress(BundleError):
            return _load(bundle, provider, threads, seconds, tf32=True)
    return _load(bundle, provider, threads, seconds, tf32=False)


def _load(bundle: Bundle, provider: Provider, threads: int, seconds: float, *, tf32: bool) -> dict[str, Loaded]:
    manifest = bundle.manifest
    graphs = {}
    for file in manifest.graphs:
        loops = inspect(bundle.files[file], file, manifest)
        graphs[file] = Graph(bundle.files[file], provider, threads, loops=loops, tf32=tf32)
    costs = dict.fromkeys(graphs, 0.0)
    for name, operation in manifest.operations.items():
        cost = prove(bundle, name, graphs[operation.graph], seconds)
        costs[operation.graph] = max(costs[operation.graph], cost)
    return {file: Loaded(graph, costs[file]) for file, graph in graphs.items()}


def warm(bundle: Bundle, graph: Graph, name: OperationName, most: int, longest: float = math.inf) -> tuple[int, float]:
    """Run an operation on its golden rows over and over, in every number of rows that runs will have.

    Returns the most rows that a run takes in `longest` seconds, `most` at most, and the seconds of each. The first run
    of a number of rows also loads what computes it, so that the second tells the time.
    """
    rows = golden.unpack(bundle.files[bundle.manifest.golden.file], name)
    outputs = bundle.manifest.operations[name].outputs
    fitting, seconds = 1, 0.0
    for count in buckets(most):
        feeds = {tensor: np.resize(array, (count, *array.shape[1:])) for tensor, array in rows.inputs.items()}
        feeds |= fill(bundle.manifest, name, count)
        graph.run(feeds, outputs)
        began = time.perf_counter()
        computed = graph.run(feeds, outputs)
        taken = time.perf_counter() - began
        if taken > longest and count > 1:
            break
        fitting, seconds = min(count, most), taken / (computed["log_weight"].size if name in SAMPLED else count)
    return fitting, seconds


def prove(bundle: Bundle, name: OperationName, graph: Graph, seconds: float = 30.0) -> float:
    """Run the golden inputs of an operation and compare with what PyTorch computed.

    BundleError if they differ, or if the run has not ended after so many seconds.

    Returns the seconds that a row computed, or one sample of it.
    """
    manifest = bundle.manifest
    rows = golden.unpack(bundle.files[manifest.golden.file], name)
    outputs = manifest.operations[name].outputs
    if set(rows.outputs) != set(outputs):
        raise BundleError(f"{name}: the golden rows are of {', '.join(rows.outputs)}, not of {', '.join(outputs)}")
    count = min(array.shape[0] if array.ndim else 0 for array in rows.outputs.values())
    if count == 0:
        raise BundleError(f"{name}: there are no golden rows")
    stop = Stop()
    began = time.thread_time()
    try:
        with stop.after(seconds):
            computed = graph.run(rows.inputs | fill(manifest, name, count), outputs, stop)
    except GraphFailed as error:
        if stop.is_set:
            raise BundleError(f"{name}: the golden rows had not run after {seconds:g} s") from error
        raise BundleError(f"{name}: the graph does not run on the golden rows") from error
    computing = time.thread_time() - began
    for tensor, expected in rows.outputs.items():
        if not golden.agree(computed[tensor], expected, manifest.golden):
            raise BundleError(f"{name}: {tensor} is not what was computed when the bundle was made")
    return computing / (computed["log_weight"].size or 1 if name in SAMPLED else count)


def fill(manifest: Manifest, name: OperationName, rows: int) -> Arrays:
    """The constant inputs of an operation, which take no memory while they wait."""
    return {
        tensor: np.broadcast_to(np.float32(value), (rows, *manifest.shape(name, tensor)))
        for tensor, value in manifest.operations[name].fill.items()
    }
