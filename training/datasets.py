"""Data sets as arrays in memory, split and with a digest."""

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pooch
from sklearn.datasets import load_digits

from models.manifest import Example
from training import own_data
from training.errors import DataError
from training.splits import Array, Dataset, share_out, shuffled


def load(source: str, support: str | None = None) -> Dataset:
    """The data set of that name, or the .npy or .npz file at that path; DataError says what is wrong with it."""
    if source in DATASETS:
        if support is not None:
            raise DataError(f"{source} has a support of its own; support is for data from a file")
        return DATASETS[source]()
    path = Path(source)
    if path.suffix not in (".npy", ".npz"):
        raise DataError(f"{source} is neither one of {', '.join(DATASETS)} nor a .npy or .npz file")
    return own_data.load(path, support)


def _digits() -> Dataset:
    """1,797 images of 8x8, values 0 to 16 (UCI, "Optical Recognition of Handwritten Digits")."""
    images = load_digits().images.astype(np.uint8)
    return Dataset("digits", Example(kind="image", support="levels", range=(0, 16)), *share_out(images, 250, 250))


def _mnist() -> Dataset:
    """60,000 and 10,000 images of 28x28, values 0 to 255 (LeCun et al. 1998); 10,000 of the former validate."""
    return _idx_images("mnist", "https://ossci-datasets.s3.amazonaws.com/mnist/")


def _fashion_mnist() -> Dataset:
    """The same shapes as MNIST, of clothing (Xiao et al. 2017)."""
    return _idx_images("fashion-mnist", "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/")


def _binarized_mnist() -> Dataset:
    """Larochelle's fixed binarization (Salakhutdinov and Murray 2008): 50,000, 10,000 and 10,000 images of 0 and 1.

    The splits are the published ones; `test` is sorted by digit.
    """
    local = _local("binarized-mnist.npz")
    if local is not None:
        packed = np.load(local, allow_pickle=False)
        splits = [np.unpackbits(packed[name], axis=1, count=784) for name in ("train", "valid", "test")]
    else:
        folder = "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/"
        files = [f"binarized_mnist_{name}.amat" for name in ("train", "valid", "test")]
        splits = [_pixels_of_text(_fetch("binarized-mnist", folder, file)) for file in files]
    images = [split.reshape(-1, 28, 28) for split in splits]
    return Dataset("binarized-mnist", Example(kind="image", support="binary", range=(0, 1)), *images)


DATASETS: dict[str, Callable[[], Dataset]] = {
    "digits": _digits,
    "mnist": _mnist,
    "fashion-mnist": _fashion_mnist,
    "binarized-mnist": _binarized_mnist,
}

_SHA256 = {
    "mnist/train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "mnist/t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "fashion-mnist/train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "fashion-mnist/t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "binarized-mnist.npz": "5d51577b4fd0084860498452cd2210a131fe2eb22edbe07ac18f565d747bc4e6",
    "binarized-mnist/binarized_mnist_train.amat": "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
    "binarized-mnist/binarized_mnist_valid.amat": "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
    "binarized-mnist/binarized_mnist_test.amat": "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
}


def _idx_images(name: str, folder: str) -> Dataset:
    train = _images_of_idx(_fetch(name, folder, "train-images-idx3-ubyte.gz"))
    test = _images_of_idx(_fetch(name, folder, "t10k-images-idx3-ubyte.gz"))
    order = shuffled(len(train))
    splits = train[order[10_000:]], train[order[:10_000]], test
    return Dataset(name, Example(kind="image", support="levels", range=(0, 255)), *splits)


def _fetch(dataset: str, folder: str, file: str) -> Path:
    """The file below REPARAM_DATA if it is there, else from the cache, else downloaded; its sha256 is checked."""
    local = _local(f"{dataset}/{file}")
    if local is not None:
        return local
    cache = pooch.os_cache("reparam") / dataset
    try:
        return Path(pooch.retrieve(folder + file, known_hash=_SHA256[f"{dataset}/{file}"], fname=file, path=cache))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} could not be fetched ({error}); set REPARAM_DATA to a folder that holds {dataset}/{file}"
        ) from error


def _local(name: str) -> Path | None:
    folder = os.environ.get("REPARAM_DATA")
    path = Path(folder) / name if folder else None
    if path is None or not path.exists():
        return None
    if pooch.file_hash(str(path)) != _SHA256[name]:
        raise DataError(f"{path} is not the published file: its sha256 differs")
    return path


def _images_of_idx(path: Path) -> Array:
    with gzip.open(path) as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)


def _pixels_of_text(path: Path) -> Array:
    """Characters 0 and 1, parted by one blank each."""
    return (np.frombuffer(path.read_bytes(), np.uint8)[::2] - ord("0")).astype(np.uint8)
