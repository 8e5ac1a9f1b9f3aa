"""A small classifier of a data set's labels, the same one each time."""

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from training.datasets.splits import Array, Dataset
from training.datasets.units import units
from training.networks import Convolutional, Hidden, Network, encoder_network

_EPOCHS, _BATCH, _LEARNING_RATE = 5, 128, 2e-3
_ROWS = 500
_NETWORKS: dict[str, Network] = {
    "image": Convolutional(channels=(16, 32), blocks=(1, 1), dropout=0.1),
    "vector": Hidden(widths=(128, 128), activation="silu", dropout=0.1),
}


class Classifier:
    """Learns the training split's labels by cross-entropy; its seed is its own."""

    def __init__(self, dataset: Dataset) -> None:
        train = dataset.examples("train")
        assert train.label is not None
        self._center, self._spread = units(dataset)
        x, label = self._scaled(train.x), torch.from_numpy(train.label)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            self._network = encoder_network(_NETWORKS[dataset.example.kind], dataset.shape, 0, dataset.classes)
            self._fit(x, label)

    def labels_of(self, x: Array) -> NDArray[np.int64]:
        """(rows,) from (rows, *shape)."""
        with torch.no_grad():
            blocks = [self._network(rows).argmax(dim=1) for rows in self._scaled(x).split(_ROWS)]
        return torch.cat(blocks).numpy()

    def _fit(self, x: Tensor, label: Tensor) -> None:
        self._network.train()
        steps = math.ceil(len(x) / _BATCH) * _EPOCHS
        optimizer = torch.optim.AdamW(self._network.parameters(), lr=_LEARNING_RATE, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=steps)
        for _ in range(_EPOCHS):
            for rows in torch.randperm(len(x)).split(_BATCH):
                loss = functional.cross_entropy(self._network(x[rows]), label[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()
        self._network.eval()

    def _scaled(self, x: Array) -> Tensor:
        return (torch.from_numpy(x).flatten(1).float() - self._center) / self._spread
