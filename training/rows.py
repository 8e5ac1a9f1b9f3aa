"""Examples with their labels, as tensors on a device."""

from typing import NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor

from training.datasets.splits import Examples


class Rows(NamedTuple):
    """(rows, *shape) as the data are stored, and int64 (rows,) where the model is given labels."""

    x: Tensor
    label: Tensor | None

    def take(self, rows: Tensor) -> "Rows":
        return Rows(self.x[rows], None if self.label is None else self.label[rows])


def on_device(fabric: Fabric, examples: Examples) -> Rows:
    x, label = (None if part is None else fabric.to_device(torch.from_numpy(part)) for part in examples)
    return Rows(x, label)
