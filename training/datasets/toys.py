"""Mixtures of normal distributions in the plane, whose modes are known: what a generator misses can be counted."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.manifest import Example
from training.datasets.splits import Dataset

_SEED = 20_171_222
_ROWS = (100_000, 10_000, 10_000)  # training, validation, test


class Mixture(NamedTuple):
    """Equally likely modes: their centers (modes, 2), and the standard deviation of each along either axis."""

    centers: NDArray[np.float64]
    deviation: float

    def draw(self, rows: int, random: np.random.Generator) -> NDArray[np.float32]:
        """Points, (rows, 2)."""
        chosen = self.centers[random.integers(len(self.centers), size=rows)]
        return (chosen + self.deviation * random.normal(size=(rows, 2))).astype(np.float32)

    def log_prob(self, points: NDArray[np.floating]) -> NDArray[np.float64]:
        """log p of points (rows, 2), in nats."""
        squares = np.square(points[:, None] - self.centers, dtype=np.float64).sum(2)
        mode = -0.5 * squares / self.deviation**2 - math.log(2 * math.pi * self.deviation**2)
        return np.asarray(np.logaddexp.reduce(mode, axis=1) - math.log(len(self.centers)))


def _ring() -> Mixture:
    angles = 2 * np.pi * np.arange(8) / 8
    return Mixture(np.stack([np.cos(angles), np.sin(angles)], axis=1), 0.01)


def _grid() -> Mixture:
    side = np.linspace(-4, 4, 5)
    return Mixture(np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2), 0.05)


# as in VEEGAN (Srivastava et al. 2017) and PacGAN (Lin et al. 2018): 8 on the unit circle, 25 at whole places
MIXTURES = {"ring": _ring(), "grid": _grid()}


def toy(name: str) -> Dataset:
    """The mixture of that name as a data set, the same points every time."""
    random = np.random.default_rng(_SEED)
    splits = [MIXTURES[name].draw(rows, random) for rows in _ROWS]
    return Dataset(name, Example(kind="vector", support="real"), *splits)
