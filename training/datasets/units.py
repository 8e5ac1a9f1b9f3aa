"""The units in which networks see data."""

import math

import torch
from torch import Tensor

from training.datasets.splits import Dataset


def units(dataset: Dataset) -> tuple[Tensor, Tensor]:
    """Center and spread of each dimension, (D,): the range if there is one, else those of the training split.

    Without a range they are mean and standard deviation; a constant dimension's deviation is 1.
    """
    if dataset.example.range is not None:
        low, high = dataset.example.range
        dimensions = math.prod(dataset.shape)
        return torch.full((dimensions,), low), torch.full((dimensions,), high - low)
    rows = torch.from_numpy(dataset.train).flatten(1).double()
    spread = rows.std(dim=0, correction=0)
    return rows.mean(dim=0).float(), torch.where(spread > 0, spread, torch.ones_like(spread)).float()
