"""Labels of the known data sets, each in the order of its images."""

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from training.datasets.published import fetch
from training.datasets.splits import Array, Labels, share_out

_DIGITS = tuple("0123456789")
_CLOTHES = (
    "t-shirt",
    "trouser",
    "pullover",
    "dress",
    "coat",
    "sandal",
    "shirt",
    "sneaker",
    "bag",
    "ankle boot",
)


def _digits() -> Labels:
    return Labels(_DIGITS, *share_out(load_digits().target.astype(np.int64), 250, 250))


def _idx(dataset: str, names: tuple[str, ...]) -> Labels:
    train, validation, _ = share_out(_labels_of_idx(fetch(dataset, "train-labels-idx1-ubyte.gz")), 10_000, 0)
    return Labels(names, train, validation, _labels_of_idx(fetch(dataset, "t10k-labels-idx1-ubyte.gz")))


def _labels_of_idx(path: Path) -> Array:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int64)


def _binarized_mnist() -> Labels:
    """Not part of the published set: they are in a file beside this one, and made thus.

    `test` is the MNIST test set, sorted by digit (stable), and so are its labels. Each row of `train` and `validation`
    has the label of the MNIST training image that most likely gave it, pixel by pixel; the same rule finds all 10,000
    labels of `test`.
    """
    with np.load(Path(__file__).with_name("binarized-mnist-labels.npz"), allow_pickle=False) as file:
        return Labels(_DIGITS, *(file[name].astype(np.int64) for name in ("train", "validation", "test")))


LABELS: dict[str, Callable[[], Labels]] = {
    "digits": _digits,
    "mnist": partial(_idx, "mnist", _DIGITS),
    "fashion-mnist": partial(_idx, "fashion-mnist", _CLOTHES),
    "binarized-mnist": _binarized_mnist,
}
