"""A served model put together: the graphs of a bundle, and for each a batcher with the sizes that suit it."""

import math
from typing import NamedTuple

from models.manifest import Manifest
from models.repository import Bundle
from service.batching import TOGETHER, Batcher
from service.graph import Provider
from service.loading import Loaded, load, warm
from service.metrics import Metrics
from service.served_model import ServedModel
from service.settings import Settings
from service.workers import Workers

_MOST_NOISE = 2**22  # values in one run; drawing them takes 5 bytes each, 17 where a row has one
_LONGEST_LOOP = 0.5  # seconds: a batch ends with its slowest row, and larger ones gain little


def assemble(bundle: Bundle, provider: Provider, workers: Workers, metrics: Metrics, settings: Settings) -> ServedModel:
    """BundleError if a graph is not what the manifest says or computes other numbers; meant to run in a thread."""
    manifest = bundle.manifest
    limits = settings.of(manifest.name)
    graphs = load(bundle, provider, settings.threads, settings.golden_seconds)
    paces = {file: _pace(bundle, file, loaded, limits.batch_rows) for file, loaded in graphs.items()}
    batchers = {
        file: Batcher(
            loaded.graph,
            workers,
            metrics,
            (manifest.name, str(manifest.version), file.removesuffix(".onnx")),
            batch_rows=paces[file].batch_rows,
            queue_rows=limits.queue_rows,
            queue_seconds=limits.queue_seconds,
            seconds_per_row=paces[file].seconds_per_row,
        )
        for file, loaded in graphs.items()
    }
    return ServedModel(manifest, bundle.digest, bundle.files.get("preview.png"), batchers, limits)


class _Pace(NamedTuple):
    """The most rows (times samples) of a run, and the seconds that each takes."""

    batch_rows: int
    seconds_per_row: float


def _pace(bundle: Bundle, file: str, loaded: Loaded, most: int) -> _Pace:
    """At most so many rows that a run's noise fits in memory, and that one of a graph that loops does not last long.

    On a GPU a row costs less the more there are, and the golden run tells nothing of it: each operation is warmed, in
    each of the shapes that runs have there, which are to be few.
    """
    manifest, graph = bundle.manifest, loaded.graph
    most = min(most, _MOST_NOISE // _noise_of_a_row(manifest) or 1, TOGETHER if graph.has_buckets else most)
    if not graph.has_buckets:
        fitting = int(_LONGEST_LOOP / loaded.seconds_per_row) or 1 if graph.loops else most
        return _Pace(min(most, fitting), loaded.seconds_per_row)
    longest = _LONGEST_LOOP if graph.loops else math.inf
    names = [name for name, operation in manifest.operations.items() if operation.graph == file]
    rows, seconds = zip(*(warm(bundle, graph, name, most, longest) for name in names), strict=True)
    return _Pace(min(rows), max(seconds))


def _noise_of_a_row(manifest: Manifest) -> int:
    """The most noise values that a row of any operation takes; 1 where none takes any."""
    return max(
        sum(math.prod(manifest.shape(name, tensor)) for tensor in operation.noise) or 1
        for name, operation in manifest.operations.items()
    )
