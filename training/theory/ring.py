"""A ring in the plane whose density is known, and small models that learn it: their samples can be judged exactly."""

import math
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.datasets.splits import Dataset
from training.datasets.toys import MIXTURES, Mixture
from training.family import Family
from training.theory.learning import learn
from training.theory.linear_gaussian import REAL

RING = Mixture(MIXTURES["ring"].centers, 0.15)
OFF = 0.01  # the share of its own points that are less likely than what counts as off the data

REACH = 2.0  # of a picture, from the middle

_HIDDEN = {"widths": [64, 64], "activation": "silu"}
_ROWS = 4000


class Judged(NamedTuple):
    """log p of points under the ring itself, (rows,) in nats, and the share of them off the data."""

    points: NDArray[np.generic]
    log_prob: NDArray[np.float64]
    off: float

    @property
    def off_error(self) -> float:
        return math.sqrt(self.off * (1 - self.off) / len(self.points))


def data(rows: int, seed: int) -> NDArray[np.float32]:
    return RING.draw(rows, np.random.default_rng(seed))


def learn_ring(family: str, epochs: int, **model: Any) -> Family:
    """A family of two dimensions of code, of one size whichever it is but for the encoder's last layer."""
    x, options = data(_ROWS, seed=0), {"latent": 2, "likelihood": "gaussian", "encoder": _HIDDEN, "decoder": _HIDDEN}
    dataset = Dataset("ring", REAL, x, x[:500], x[:500])
    return learn(family, options | model, dataset, epochs=epochs, batch_size=200, learning_rate=5e-3, ema=0.99).family


@torch.no_grad()
def prior_samples(family: Any, rows: int) -> Judged:
    """Codes from N(0, I), decoded, with the noise of p(x | z)."""
    z, pixel = (_noise(rows, seed) for seed in (1, 2))
    return judge(family.decode(z, pixel)["x"].numpy())


def judge(points: NDArray[np.generic]) -> Judged:
    log_prob = RING.log_prob(points)
    threshold = np.quantile(RING.log_prob(data(20_000, seed=3)), OFF)
    return Judged(points, log_prob, float((log_prob < threshold).mean()))


def _noise(rows: int, seed: int) -> Tensor:
    return torch.randn(rows, 2, generator=torch.Generator().manual_seed(seed))
