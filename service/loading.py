"""A bundle made into graphs: inspected, loaded, and proved on its golden rows."""

import numpy as np

from models import golden
from models.errors import BundleError
from models.manifest import Manifest, OperationName
from models.repository import Bundle
from service.graph import Arrays, Graph, GraphFailed, Provider
from service.inspection import inspect


def load(bundle: Bundle, provider: Provider, threads: int = 1) -> dict[str, Graph]:
    """The graphs by file name; BundleError if one is not what the manifest says or computes other numbers.

    The golden run is the warm-up too: what comes out has been run once for each operation.
    """
    graphs = {}
    for file in bundle.manifest.graphs:
        inspect(bundle.files[file], file, bundle.manifest)
        graphs[file] = Graph(bundle.files[file], provider, threads)
    for name, operation in bundle.manifest.operations.items():
        prove(bundle, name, graphs[operation.graph])
    return graphs


def prove(bundle: Bundle, name: OperationName, graph: Graph) -> None:
    """Run the golden inputs of an operation and compare with what PyTorch computed; BundleError if they differ."""
    manifest = bundle.manifest
    rows = golden.unpack(bundle.files[manifest.golden.file], name)
    outputs = manifest.operations[name].outputs
    if set(rows.outputs) != set(outputs):
        raise BundleError(f"{name}: the golden rows are of {', '.join(rows.outputs)}, not of {', '.join(outputs)}")
    count = min(array.shape[0] if array.ndim else 0 for array in rows.outputs.values())
    if count == 0:
        raise BundleError(f"{name}: there are no golden rows")
    try:
        computed = graph.run(rows.inputs | fill(manifest, name, count), outputs)
    except GraphFailed as error:
        raise BundleError(f"{name}: the graph does not run on the golden rows") from error
    for tensor, expected in rows.outputs.items():
        if not golden.agree(computed[tensor], expected, manifest.golden):
            raise BundleError(f"{name}: {tensor} is not what was computed when the bundle was made")


def fill(manifest: Manifest, name: OperationName, rows: int) -> Arrays:
    """The constant inputs of an operation."""
    return {
        tensor: np.full((rows, *manifest.shape(name, tensor)), value, np.float32)
        for tensor, value in manifest.operations[name].fill.items()
    }
