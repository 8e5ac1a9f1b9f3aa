"""A filmstrip of the training: what the same codes became as it went on."""

import numpy as np

from models.manifest import Manifest
from training.datasets.splits import Array
from training.datasets.toys import MIXTURES
from training.evaluation.modes import judge_points
from training.report import page, pictures, plots

_POINTS = 120
_MODES = ("modes", "high_quality", "reverse_kl", "spread")


def film(manifest: Manifest, frames: Array | None) -> str:
    """A section for frames (times, rows, *shape); nothing for a model that has none."""
    if frames is None or (manifest.x.kind != "image" and manifest.shapes["x"] != (2,)):
        return ""
    parts = "equal parts of the training"
    if manifest.x.kind == "image":
        grid = pictures.png(frames.reshape(-1, *frames.shape[2:]), frames.shape[1], pictures.limits(manifest, frames))
        note = f"What the same codes became: a row after each of {len(frames)} {parts}, the last at the bottom."
        return page.section("film", "Over the training", note, page.image(grid, "rows of samples of the same codes"))
    note = f"What the same codes became after each of {len(frames)} {parts}."
    clouds = (
        plots.scatter({f"{time} of {len(frames)}": points[:_POINTS]}, name=f"film{time}")
        for time, points in enumerate(frames, 1)
    )
    return page.section("film", "Over the training", note, _modes(manifest, frames), page.beside(*clouds))


def _modes(manifest: Manifest, frames: Array) -> str:
    """The figures of modes at each time, for data whose modes are known."""
    mixture = MIXTURES.get(manifest.provenance.data)
    if mixture is None:
        return ""
    judged = [judge_points(points.astype(np.float32), mixture) for points in frames]
    rows = (
        (str(time), *(f"{figures[name].value:.4g}" if name in figures else "-" for name in _MODES))
        for time, figures in enumerate(judged, 1)
    )
    return page.table(("time", *(name.replace("_", " ") for name in _MODES)), rows)
