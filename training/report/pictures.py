"""Pictures of a model of images: grids of samples, of reconstructions, of whatever else, as PNG."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.manifest import Manifest
from training import views
from training.datasets.splits import Array, Examples
from training.exported import Exported

_SIDE = 8  # tiles
_MOST_COLUMNS = 16
_COMPLETIONS = 5
_GREY = 64
_WIDTH = 448  # pixels, at least


def preview(exported: Exported, manifest: Manifest, examples: Examples) -> bytes | None:
    """Samples where the model has them, else examples above their reconstructions; None for vectors."""
    if manifest.x.kind != "image":
        return None
    if "sample" in exported.operations:
        return samples(exported, manifest)
    return reconstructions(exported, manifest, examples)


def samples(exported: Exported, manifest: Manifest) -> bytes:
    """Expectations of samples where the model states them; a column is of one class where it takes labels."""
    columns = _columns(exported, manifest)
    drawn = views.sampled(exported, columns * _SIDE, views.in_turn(manifest, columns * _SIDE))
    images = drawn.get("mean", drawn["x"])
    return png(images, columns, limits(manifest, images))


def reconstructions(exported: Exported, manifest: Manifest, examples: Examples) -> bytes:
    """Rows of examples, each followed by the row of their reconstructions."""
    shown = examples.take(views.spread(len(examples.x), _SIDE * _SIDE // 2))
    decoded = views.decoded(exported, views.encoded(exported, shown)["z"], shown.label)
    shape = manifest.shapes["x"]
    pairs = np.stack([part.reshape(-1, _SIDE, *shape) for part in (shown.x.astype(np.float32), decoded)], axis=1)
    images = pairs.reshape(-1, *shape)
    return png(images, _SIDE, limits(manifest, images))


def completions(exported: Exported, manifest: Manifest, examples: Examples) -> bytes:
    """A row of examples, below it what the model makes of their upper halves, several times."""
    chosen = views.spread(len(examples.x), _SIDE)
    shown = examples.take(np.tile(chosen, _COMPLETIONS))
    kept = np.zeros(shown.x.shape, bool)
    kept[:, : kept.shape[1] // 2] = True
    drawn = views.completed(exported, shown, kept)
    images = np.concatenate([examples.x[chosen].astype(np.float32), drawn])
    return png(images, _SIDE, limits(manifest, images))


def limits(manifest: Manifest, images: Array) -> tuple[float, float]:
    """What is black and what is white: the ends of the range, else the least and the greatest value."""
    return manifest.x.range or (float(images.min()), float(images.max()))


def png(images: Array, columns: int, limits: tuple[float, float]) -> bytes:
    """So many in a row, each in a frame, enlarged to a size that can be seen.

    `images` are (rows, height, width), or (rows, 3, height, width) in red, green and blue.
    """
    low, high = limits
    levels = ((images - low) / ((high - low) or 1.0) * 255).round().clip(0, 255).astype(np.uint8)
    grid = _grid(levels, columns)
    scale = -(-_WIDTH // grid.shape[1])
    buffer = io.BytesIO()
    Image.fromarray(grid.repeat(scale, axis=0).repeat(scale, axis=1)).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _columns(exported: Exported, manifest: Manifest) -> int:
    """About eight; as many as there are labels, or a multiple of it, where the labels fit."""
    classes = len(manifest.labels) if exported.operations["sample"].label else 0
    return classes * max(1, _SIDE // classes) if 0 < classes <= _MOST_COLUMNS else _SIDE


def _grid(images: NDArray[np.uint8], columns: int) -> NDArray[np.uint8]:
    """(height, width), or (height, width, 3)."""
    images = np.pad(images, (*[(0, 0)] * (images.ndim - 2), (1, 1), (1, 1)), constant_values=_GREY)
    *colours, height, width = images.shape[1:]
    grid = images.reshape(-1, columns, *colours, height, width).swapaxes(1, -2)  # (rows, height, ..., columns, width)
    grid = grid.reshape(-1, *colours, columns * width)
    return np.moveaxis(grid, 1, -1) if colours else grid
