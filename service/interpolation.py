"""Paths between two codes."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating[Any]]
Path = Literal["linear", "spherical"]


def _linear(start: Floats, end: Floats, t: Floats) -> Floats:
    return (1 - t) * start + t * end


def _spherical(start: Floats, end: Floats, t: Floats) -> Floats:
    """Along the great circle (Shoemake 1985), so that codes keep the length that a prior gives them (White 2016).

    Lengths that differ are passed through evenly; the great circle of the codes themselves would leave for far away
    where they are nearly opposite.
    """
    lengths = np.linalg.norm(start), np.linalg.norm(end)
    cosine = np.clip(np.vdot(start, end) / (lengths[0] * lengths[1]), -1, 1) if all(lengths) else 1.0
    angle = np.arccos(cosine)
    if np.sin(angle) < 1e-6:  # parallel or opposite: no one great circle
        return _linear(start, end, t)
    towards_start, towards_end = start / lengths[0], end / lengths[1]
    direction = (np.sin((1 - t) * angle) * towards_start + np.sin(t * angle) * towards_end) / np.sin(angle)
    return np.asarray(((1 - t) * lengths[0] + t * lengths[1]) * direction)


PATHS: dict[Path, Callable[[Floats, Floats, Floats], Floats]] = {"linear": _linear, "spherical": _spherical}


def path_between(start: Floats, end: Floats, steps: int, path: Path) -> NDArray[np.float32]:
    """`steps` codes from `start` to `end`, both included as they are; codes of any shape, (steps, *shape) out."""
    t = np.linspace(0, 1, steps).reshape(-1, *[1] * start.ndim)
    codes = PATHS[path](start.astype(np.float64), end.astype(np.float64), t).astype(np.float32)
    codes[0], codes[-1] = start, end
    return codes
