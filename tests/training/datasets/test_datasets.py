"""Known data sets are what their names say; all else is the user's own, or refused."""

import gzip

import numpy as np
import pytest
from sklearn.datasets import load_digits

from models.manifest import Example
from models.repository import SHIPPED, Repository
from training import datasets
from training.errors import DataError


def splits(dataset):
    return dataset.train, dataset.validation, dataset.test


def test_digits_are_shared_out_without_loss_or_overlap():
    digits = datasets.load("digits")
    assert [split.shape for split in splits(digits)] == [(1297, 8, 8), (250, 8, 8), (250, 8, 8)]
    assert digits.example == Example(kind="image", support="levels", range=(0, 16))
    shared_out = sorted(row.tobytes() for split in splits(digits) for row in split)
    assert shared_out == sorted(row.tobytes() for row in load_digits().images.astype(np.uint8))


def test_data_without_labels_are_those_that_the_shipped_bundle_learned():
    digits = datasets.load("digits")
    assert digits.labels is None
    assert digits.digest == Repository(SHIPPED).read("vae-digits", 1).manifest.provenance.data_digest


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_support_of_a_known_data_set_cannot_be_chosen(name):
    with pytest.raises(DataError, match=f"{name} has a support of its own; support is for data of your own"):
        datasets.load(name, "real")


@pytest.mark.parametrize("name", ["own.txt", "own", "own.csv.gz"])
def test_refusal_of_an_unknown_source_names_all_that_would_do(tmp_path, name):
    with pytest.raises(DataError, match=f"/{name} is neither one of ") as refusal:
        datasets.load(str(tmp_path / name))
    for known in (*datasets.DATASETS, ".npy", ".npz", ".csv", ".parquet", "a folder of images"):
        assert known in str(refusal.value)


def idx(images):
    header = b"".join(number.to_bytes(4, "big") for number in (0x803, *images.shape))
    return gzip.compress(header + images.tobytes(), compresslevel=1)


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_idx_files_are_read_and_10_000_images_validate(data_folder, name):
    numbers = np.arange(10_003)
    train = np.zeros((10_003, 28, 28), np.uint8)
    train[:, 0, 0], train[:, 27, 27] = numbers % 256, numbers // 256
    test = np.arange(2 * 784).reshape(2, 28, 28).astype(np.uint8)
    data_folder(f"{name}/train-images-idx3-ubyte.gz", idx(train))
    data_folder(f"{name}/t10k-images-idx3-ubyte.gz", idx(test))
    loaded = datasets.load(name)
    assert [len(split) for split in splits(loaded)] == [3, 10_000, 2]
    np.testing.assert_array_equal(loaded.test, test)
    found = np.concatenate([loaded.train, loaded.validation]).astype(int)
    np.testing.assert_array_equal(np.sort(found[:, 0, 0] + 256 * found[:, 27, 27]), numbers)
    assert loaded.example == Example(kind="image", support="levels", range=(0, 255))


def test_stacked_digits_are_three_of_one_split_each_time_the_same_and_independent(data_folder):
    train = np.arange(10_600).astype(">u2").view(np.uint8).reshape(-1, 1, 2)  # each image is its own number
    test = (20_000 + np.arange(500)).astype(">u2").view(np.uint8).reshape(-1, 1, 2)
    for file, images in (("train", train), ("t10k", test)):
        images = np.pad(images, ((0, 0), (0, 27), (0, 26)))
        data_folder(f"mnist/{file}-images-idx3-ubyte.gz", idx(images))
    mnist, stacked = datasets.load("mnist"), datasets.load("stacked-mnist")
    assert [split.shape for split in splits(stacked)] == [(600, 3, 28, 28), (10_000, 3, 28, 28), (500, 3, 28, 28)]
    for single, split in zip(splits(mnist), splits(stacked), strict=True):
        numbers, known = (images[..., 0, 0].astype(int) * 256 + images[..., 0, 1] for images in (split, single))
        assert set(numbers.ravel()) <= set(known)
        assert abs(np.corrcoef(numbers.T)[np.triu_indices(3, 1)]).max() < 4 / np.sqrt(len(split))
    assert datasets.load("stacked-mnist").digest == stacked.digest


@pytest.mark.parametrize("packed", [False, True])
def test_binarized_images_are_read_from_text_and_from_bits(data_folder, tmp_path, packed):
    names = ("train", "valid", "test")
    pixels = {name: np.random.default_rng(k).integers(0, 2, (k, 784)) for k, name in enumerate(names, start=2)}
    for name, rows in pixels.items():
        text = "".join(" ".join(map(str, row)) + "\n" for row in rows)
        data_folder(f"binarized-mnist/binarized_mnist_{name}.amat", text.encode())
    if packed:
        path = tmp_path / "packed.npz"
        np.savez(path, **{name: np.packbits(rows.astype(np.uint8), axis=1) for name, rows in pixels.items()})
        data_folder("binarized-mnist.npz", path.read_bytes())
    loaded = datasets.load("binarized-mnist")
    for split, rows in zip(splits(loaded), pixels.values(), strict=True):
        np.testing.assert_array_equal(split, rows.reshape(-1, 28, 28))
    assert loaded.example == Example(kind="image", support="binary", range=(0, 1))
