"""Examples with their labels, as tensors on a device."""

from typing import NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor

from training.datasets.splits import Examples


class Batch(NamedTuple):
    """(rows, *shape) as the data are stored, and int64 (rows,) where the model is given labels."""

    x: Tensor
    label: Tensor | None

    def take(self, rows: Tensor) -> "Batch":
        return Batch(self.x[rows], None if self.label is None else self.label[rows])


def on_device(fabric: Fabric, examples: Examples) -> Batch:
    x, label = (None if part is None else fabric.to_device(torch.from_numpy(part)) for part in examples)
    return Batch(x, label)
