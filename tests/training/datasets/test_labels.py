"""A label belongs to its row, whatever order the rows were put in."""

import gzip
import tomllib
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from training import datasets
from training.datasets import labels as known
from training.datasets import published
from training.datasets.toys import MIXTURES
from training.errors import DataError

MNIST_TRAIN = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]  # LeCun's 60,000, digit by digit
MNIST_TEST = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


MADE_UP = {*MIXTURES, "stacked-mnist"}


def test_every_known_data_set_that_is_not_made_up_has_labels():
    assert known.LABELS.keys() == datasets.DATASETS.keys() - MADE_UP


@pytest.mark.parametrize("name", sorted(MADE_UP))
def test_labels_of_what_is_made_up_are_refused(name):
    with pytest.raises(DataError, match=f"{name} has no labels; leave labels out"):
        datasets.load(name, labels=True)


def test_digits_keep_their_labels():
    digits, published_digits = datasets.load("digits", labels=True), load_digits()
    label = {row.tobytes(): k for row, k in zip(published_digits.images, published_digits.target, strict=True)}
    for name in ("train", "validation", "test"):
        rows = getattr(digits, name).astype(np.float64)
        assert [label[row.tobytes()] for row in rows] == getattr(digits.labels, name).tolist()
        assert getattr(digits.labels, name).dtype == np.int64
    assert digits.labels.names == tuple("0123456789")
    assert digits.classes == 10


def idx(header, array):
    return gzip.compress(bytes(header) + array.astype(np.uint8).tobytes(), compresslevel=1)


@pytest.mark.parametrize(("name", "third"), [("mnist", "2"), ("fashion-mnist", "pullover")])
def test_labels_of_idx_files_stay_with_their_images(data_folder, name, third):
    digits = np.arange(10_020) % 10
    for part, rows in (("train", digits), ("t10k", digits[:13])):
        data_folder(f"{name}/{part}-images-idx3-ubyte.gz", idx(16, np.tile(rows[:, None], 784)))
        data_folder(f"{name}/{part}-labels-idx1-ubyte.gz", idx(8, rows))
    loaded = datasets.load(name, labels=True)
    for split, label in zip((loaded.train, loaded.validation, loaded.test), loaded.labels[1:], strict=True):
        np.testing.assert_array_equal(split[:, 5, 7], label)
        assert label.dtype == np.int64
    assert len(loaded.labels.names) == 10
    assert loaded.labels.names[2] == third


def test_files_of_labels_are_fetched_only_if_asked_for(data_folder, monkeypatch):
    def refuse(*_, **__):
        raise OSError("not here")

    for part, rows in (("train", 10_001), ("t10k", 3)):
        data_folder(f"mnist/{part}-images-idx3-ubyte.gz", idx(16, np.eye(rows, 784)))
    monkeypatch.setattr(published.pooch, "retrieve", refuse)
    assert datasets.load("mnist").labels is None
    with pytest.raises(DataError, match=r"train-labels-idx1-ubyte.gz could not be fetched"):
        datasets.load("mnist", labels=True)


def test_labels_of_the_binarized_images_are_those_of_mnist():
    labels = known.LABELS["binarized-mnist"]()
    assert [len(split) for split in labels[1:]] == [50_000, 10_000, 10_000]
    assert {split.dtype for split in labels[1:]} == {np.dtype(np.int64)}
    assert np.bincount(np.concatenate([labels.train, labels.validation])).tolist() == MNIST_TRAIN
    assert labels.test.tolist() == [digit for digit, rows in enumerate(MNIST_TEST) for _ in range(rows)]


def test_package_holds_the_file_of_labels():
    root = Path(known.__file__).parents[2]
    content = tomllib.loads((root / "pyproject.toml").read_text())
    patterns = content["tool"]["setuptools"]["package-data"]["training"]
    packed = {path.name for pattern in patterns for path in (root / "training").glob(pattern)}
    assert "binarized-mnist-labels.npz" in packed
