"""What there is to see of a model: its samples, its codes without noise, its expectations."""

import numpy as np
from numpy.typing import NDArray

from models.manifest import Manifest, OperationName
from training.datasets.splits import Array, Examples
from training.exported import Arrays, Exported

_ROWS = 500


def sampled(
    exported: Exported, rows: int, label: Array | None = None, seed: int = 0, temperature: float = 1.0
) -> Arrays:
    """The first rows of a seed, as the service gives them."""
    blocks = []
    for start in range(0, rows, _ROWS):
        count = min(_ROWS, rows - start)
        given = None if label is None else label[start : start + count]
        noise = exported.draw("sample", seed=seed, index=start, rows=count, temperature=temperature)
        blocks.append(_run(exported, "sample", {}, given, noise))
    return _joined(blocks)


def encoded(exported: Exported, examples: Examples) -> Arrays:
    """The outputs of `encode` without noise, one an example."""
    return _without_noise(exported, "encode", "x", examples.x, examples.label)


def decoded(exported: Exported, z: Array, label: Array | None = None) -> Array:
    """The expectation of x given each code; where a model states none, x without noise."""
    outputs = _without_noise(exported, "decode", "z", z, label)
    return outputs.get("mean", outputs["x"])


def completed(exported: Exported, examples: Examples, kept: Array, seed: int = 0) -> Array:
    """Each x with what is not `kept`, (rows, *shape) of 0 and 1, drawn anew, as the service gives it for the seed."""
    data = {"x": examples.x.astype(np.float32), "mask": kept.astype(np.float32)}
    noise = exported.draw("complete", seed=seed, index=0, rows=len(examples.x))
    return _run(exported, "complete", data, examples.label, noise)["x"]


def in_turn(manifest: Manifest, rows: int) -> Array | None:
    """Every label in turn, one a row; None for a model that knows no labels."""
    return np.arange(rows) % len(manifest.labels) if manifest.labels else None


def spread(rows: int, shown: int) -> NDArray[np.int64]:
    """So many row numbers from the first to the last, evenly: a split may be sorted."""
    return np.linspace(0, rows - 1, shown).round().astype(int)


def _without_noise(exported: Exported, name: OperationName, key: str, data: Array, label: Array | None) -> Arrays:
    blocks = []
    for start in range(0, len(data), _ROWS):
        rows, labels = Examples(data, label).take(slice(start, start + _ROWS))
        noise = exported.draw(name, index=start, rows=len(rows), temperature=0)
        blocks.append(_run(exported, name, {key: rows.astype(np.float32)}, labels, noise))
    return _joined(blocks)


def _joined(blocks: list[Arrays]) -> Arrays:
    return {output: np.concatenate([block[output] for block in blocks]) for output in blocks[0]}


def _run(exported: Exported, name: OperationName, data: Arrays, label: Array | None, noise: Arrays) -> Arrays:
    """An operation is given the labels if it takes them."""
    taken = {"label": label} if exported.operations[name].label else {}
    return exported.run(name, data | taken | noise)
