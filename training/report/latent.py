"""What each dimension of a code holds: its KL, and how an example changes along it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.manifest import Manifest
from training import views
from training.datasets.splits import Array, Examples
from training.exported import Exported

VALUES = np.linspace(-3, 3, 13)

_MOST_ROWS = 2000


class Traversal(NamedTuple):
    """What is decoded when one dimension of a code takes each of VALUES and the others stay."""

    dimension: int
    x: Array


def kl_per_dimension(exported: Exported, examples: Examples) -> NDArray[np.float64] | None:
    """In nats, averaged over rows spread evenly over the split; None for a model whose codes have no KL."""
    if "encode" not in exported.operations or "kl_per_dimension" not in exported.operations["encode"].outputs:
        return None
    rows = len(examples.x)
    seen = examples.take(views.spread(rows, min(rows, _MOST_ROWS)))
    kl = views.encoded(exported, seen)["kl_per_dimension"]
    return kl.mean(axis=0, dtype=np.float64).ravel()


def traversals(
    exported: Exported, manifest: Manifest, examples: Examples, kl: Array | None, most: int = 8
) -> list[Traversal]:
    """Through the code of the first example, or through 0, along its most informative dimensions.

    Those have the greatest KL; without `kl`, those along which x changes most. There are none for a model that cannot
    both sample and decode: without a prior, -3 and 3 mean nothing.
    """
    if not {"sample", "decode"} <= set(exported.operations):
        return []
    first = examples.take(slice(1))
    label = views.in_turn(manifest, 1) if first.label is None else first.label
    can_encode = "encode" in exported.operations
    origin = views.encoded(exported, first)["z"] if can_encode else np.zeros((1, *manifest.shapes["z"]))
    held = _change(exported, origin, label) if kl is None else kl
    ranked = map(int, np.argsort(-held, kind="stable")[:most])
    return [Traversal(dimension, _along(exported, origin, label, dimension, VALUES)) for dimension in ranked]


def _change(exported: Exported, origin: Array, label: Array | None) -> Array:
    """The squared difference of x between the two ends of each dimension."""
    ends = [_along(exported, origin, label, d, VALUES[[0, -1]]) for d in range(origin.size)]
    return np.array([np.square(high - low).sum() for low, high in ends])


def _along(exported: Exported, origin: Array, label: Array | None, dimension: int, values: Array) -> Array:
    z = np.repeat(origin, len(values), axis=0)
    z.reshape(len(values), -1)[:, dimension] = values
    return views.decoded(exported, z, None if label is None else np.repeat(label, len(values)))
