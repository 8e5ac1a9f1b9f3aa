"""Data sets as arrays in memory, split and with a digest."""

import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

from models.manifest import Example
from training.datasets import own
from training.datasets.labels import LABELS
from training.datasets.published import fetch, local
from training.datasets.splits import Array, Dataset, share_out
from training.datasets.toys import MIXTURES, toy
from training.errors import DataError

_STACKING = 20_161_107  # the seed of which digits are stacked


def load(source: str, support: str | None = None, labels: bool = False) -> Dataset:
    """The data set of that name, or the user's own at that path, with its labels if they are asked for.

    DataError says what is wrong with it.
    """
    if source in DATASETS:
        if support is not None:
            raise DataError(f"{source} has a support of its own; support is for data of your own")
        if labels and source not in LABELS:
            raise DataError(f"{source} has no labels; leave labels out")
        dataset = DATASETS[source]()
        return dataset._replace(labels=LABELS[source]()) if labels else dataset
    path = Path(source)
    if not own.can_read(path):
        names, kinds = ", ".join(DATASETS), ", ".join(own.READERS)
        raise DataError(f"{source} is neither one of {names}, nor a file that ends in {kinds}, nor a folder of images")
    return own.load(path, support, labels)


def _digits() -> Dataset:
    """1,797 images of 8x8, values 0 to 16 (UCI, "Optical Recognition of Handwritten Digits")."""
    images = load_digits().images.astype(np.uint8)
    return Dataset("digits", Example(kind="image", support="levels", range=(0, 16)), *share_out(images, 250, 250))


def _mnist() -> Dataset:
    """60,000 and 10,000 images of 28x28, values 0 to 255 (LeCun et al. 1998); 10,000 of the former validate."""
    return _idx("mnist")


def _stacked_mnist() -> Dataset:
    """Three random digits of one split of MNIST, one a colour, (3, 28, 28) in all: 1,000 modes (Metz et al. 2017)."""
    mnist, random = _mnist(), np.random.default_rng(_STACKING)
    single = (mnist.train, mnist.validation, mnist.test)
    stacked = (digits[random.integers(len(digits), size=(len(digits), 3))] for digits in single)
    return Dataset("stacked-mnist", mnist.example, *stacked)


def _fashion_mnist() -> Dataset:
    """The same shapes as MNIST, of clothing (Xiao et al. 2017)."""
    return _idx("fashion-mnist")


def _binarized_mnist() -> Dataset:
    """Larochelle's fixed binarization (Salakhutdinov and Murray 2008): 50,000, 10,000 and 10,000 images of 0 and 1.

    The splits are the published ones; `test` is sorted by digit.
    """
    names, packed = ("train", "valid", "test"), local("binarized-mnist.npz")
    if packed is not None:
        content = np.load(packed, allow_pickle=False)
        splits = [np.unpackbits(content[name], axis=1, count=784) for name in names]
    else:
        splits = [_pixels_of_text(fetch("binarized-mnist", f"binarized_mnist_{name}.amat")) for name in names]
    images = [split.reshape(-1, 28, 28) for split in splits]
    return Dataset("binarized-mnist", Example(kind="image", support="binary", range=(0, 1)), *images)


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": _digits,
    "mnist": _mnist,
    "stacked-mnist": _stacked_mnist,
    "fashion-mnist": _fashion_mnist,
    "binarized-mnist": _binarized_mnist,
    **{name: partial(toy, name) for name in MIXTURES},
}


def _idx(name: str) -> Dataset:
    train, validation, _ = share_out(_images_of_idx(fetch(name, "train-images-idx3-ubyte.gz")), 10_000, 0)
    test = _images_of_idx(fetch(name, "t10k-images-idx3-ubyte.gz"))
    return Dataset(name, Example(kind="image", support="levels", range=(0, 255)), train, validation, test)


def _images_of_idx(path: Path) -> Array:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)


def _pixels_of_text(path: Path) -> Array:
    """Characters 0 and 1, parted by one blank each."""
    return (np.frombuffer(path.read_bytes(), np.uint8)[::2] - ord("0")).astype(np.uint8)
