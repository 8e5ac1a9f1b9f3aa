"""A small classifier of a data set's labels, the same one each time.

That of MNIST is in a file beside this one, pinned by its digest, for figures are measured on its features; pin.py made
it.
"""

import math
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load
from torch import Tensor
from torch.nn import functional

from training.datasets.splits import Array, Dataset, Examples
from training.datasets.units import units
from training.errors import TrainingError
from training.networks import Convolutional, Hidden, Network, encoder_network

PINNED = {"mnist": "e105d1acf9766a41e88439885970323a1a13d3c52498a8d57a70323f1dd0a6bc"}
"""The digests of the classifiers that are kept, by the data set that they are of; ten classes each."""

_CLASSES = 10
_EPOCHS, _BATCH, _LEARNING_RATE = 5, 128, 2e-3
_ROWS = 500
_NETWORKS: dict[str, Network] = {
    "image": Convolutional(channels=(16, 32), blocks=(1, 1), dropout=0.1),
    "vector": Hidden(widths=(128, 128), activation="silu", dropout=0.1),
}


class Classifier:
    """Learns the training split's labels by cross-entropy, unless it is given its weights; its seed is its own."""

    def __init__(self, dataset: Dataset, weights: Mapping[str, Tensor] | None = None) -> None:
        self._center, self._spread = units(dataset)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = _NETWORKS[dataset.example.kind]
            self.network = encoder_network(network, dataset.shape, 0, dataset.classes or _CLASSES)
            if weights is None:
                self._fit(dataset.examples("train"))
            else:
                self.network.load_state_dict(weights)
        self.network.eval()

    def labels_of(self, x: Array) -> NDArray[np.int64]:
        """(rows,) from (rows, *shape)."""
        with torch.no_grad():
            return torch.cat([self.network(rows).argmax(dim=1) for rows in self._scaled(x).split(_ROWS)]).numpy()

    def features_of(self, x: Array) -> NDArray[np.float32]:
        """What its last layer is given of images (rows, height, width): (rows, features)."""
        with torch.no_grad():
            return torch.cat([self.network.features(rows) for rows in self._scaled(x).split(_ROWS)]).numpy()

    def _fit(self, train: Examples) -> None:
        assert train.label is not None
        x, label = self._scaled(train.x), torch.from_numpy(train.label)
        self.network.train()
        steps = math.ceil(len(x) / _BATCH) * _EPOCHS
        optimizer = torch.optim.AdamW(self.network.parameters(), lr=_LEARNING_RATE, fused=True)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, _LEARNING_RATE, total_steps=steps)
        for _ in range(_EPOCHS):
            for rows in torch.randperm(len(x)).split(_BATCH):
                loss = functional.cross_entropy(self.network(x[rows]), label[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                schedule.step()

    def _scaled(self, x: Array) -> Tensor:
        return (torch.tensor(x, dtype=torch.float32).flatten(1) - self._center) / self._spread


def classifier_of(dataset: Dataset) -> Classifier:
    """The one that is kept, or one that learns the data set's labels now."""
    if dataset.name not in PINNED:
        return Classifier(dataset)
    file = file_of(dataset.name)
    content = file.read_bytes()
    if sha256(content).hexdigest() != PINNED[dataset.name]:
        raise TrainingError(f"{file.name} is not the classifier that figures are measured with; restore it")
    return Classifier(dataset, load(content))


def file_of(name: str) -> Path:
    return Path(__file__).with_name(f"{name}-classifier.safetensors")
