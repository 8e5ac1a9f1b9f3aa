"""What people look at first: the card and the picture of a bundle."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.manifest import OPERATIONS, Manifest
from models.provenance import Figure
from training.exported import Exported

_GRID = 8
_GREY = 64
_WIDTH = 448  # pixels, at least


def card(manifest: Manifest) -> str:
    """What the model is, its data, its figures with their errors, and its limits, in Markdown."""
    made = manifest.provenance
    operations = manifest.operations
    return _CARD.format(
        name=manifest.name,
        version=manifest.version,
        title=manifest.title,
        family=manifest.family,
        parameters=made.parameters,
        data=made.data,
        digest=made.data_digest[:16],
        x=f"{manifest.x.support} {manifest.x.kind}s of shape {list(manifest.shapes['x'])}",
        minutes=made.minutes,
        seed=made.recipe["seed"],
        figures="\n".join(map(_figure_row, made.figures, made.figures.values())),
        command=made.command,
        can="\n".join(
            f"- `{name}`: {', '.join(operations[name].outputs)}" for name in OPERATIONS if name in operations
        ),
        cannot="\n".join(f"- `{name}`: {manifest.absent[name]}." for name in OPERATIONS if name in manifest.absent),
        bound_k=_BOUND_K if "score" in operations else "",
        bound=_BOUND if "score" in operations else "",
    )


def preview(exported: Exported, manifest: Manifest, x: NDArray[np.generic]) -> bytes | None:
    """A PNG grid: samples where the model has them, else examples above their reconstructions; None for vectors."""
    if manifest.x.kind != "image":
        return None
    if "sample" in exported.operations:
        drawn = exported.run("sample", exported.draw("sample", index=0, rows=_GRID * _GRID))
        images = drawn.get("mean", drawn["x"])
    else:
        spread = np.linspace(0, len(x) - 1, _GRID * _GRID // 2).round().astype(int)  # test splits may be sorted
        shown = x[spread]
        images = _reconstructions(exported, shown.astype(np.float32))
    low, high = manifest.x.range or (images.min(), images.max())
    levels = ((images - low) / ((high - low) or 1.0) * 255).round().clip(0, 255).astype(np.uint8)
    grid = _grid(levels)
    scale = -(-_WIDTH // grid.shape[1])
    return _png(np.kron(grid, np.ones((scale, scale), np.uint8)))


def _reconstructions(exported: Exported, x: NDArray[np.float32]) -> NDArray[np.generic]:
    """Rows of examples, each followed by the row of their reconstructions."""
    z = exported.run("encode", {"x": x, **exported.draw("encode", index=0, rows=len(x), temperature=0)})["z"]
    decoded = exported.run("decode", {"z": z, **exported.draw("decode", index=0, rows=len(z), temperature=0)})
    pairs = np.stack([x.reshape(-1, _GRID, *x.shape[1:]), decoded["mean"].reshape(-1, _GRID, *x.shape[1:])], axis=1)
    return pairs.reshape(-1, *x.shape[1:])


def _grid(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Eight in a row, with a pixel of grey between."""
    images = np.pad(images, ((0, 0), (1, 1), (1, 1)), constant_values=_GREY)
    height, width = images.shape[1:]
    rows = images.reshape(-1, _GRID, height, width)
    return rows.transpose(0, 2, 1, 3).reshape(-1, _GRID * width)


def _png(image: NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()


def _figure_row(name: str, figure: Figure) -> str:
    error = "" if figure.std_error is None else f" ± {figure.std_error:#.2g}"
    return f"| {name} | {figure.value:.5g}{error} | {figure.unit} | {figure.split}, {figure.examples:,} |"


_CARD = """\
# {name}, version {version}

{title}.

- Family: {family}; {parameters:,} parameters.
- Data: {data} (sha256 of its splits {digest}...), {x}.
  Trained on the training split; the best epoch chosen on the validation split; the test split used for the figures.
- Training: {minutes:.1f} minutes, seed {seed}; the whole recipe is in manifest.json.

## Figures

Measured through the exported graphs, whose matrices are rounded to half precision; the standard error is over the
examples.{bound_k}

| figure | value | unit | split, examples |
|---|---|---|---|
{figures}

To measure them again:

    {command}

## What it can do

{can}

## What it cannot do

{cannot}

## Limits

- It has seen {data} only; what it says of other data is an extrapolation.
- Equal seeds give equal bytes on the same processor type and versions, not across them.
{bound}"""

_BOUND_K = """ `bound_K` is the importance weighted bound of log p(x) with K samples: its negative is the NLL by
IW-K; its looser cousin `elbo` is reconstruction less KL."""

_BOUND = """\
- `score` gives a lower bound of log p(x), never log p(x) itself; its standard errors are Monte Carlo errors of the
  bound.
"""
