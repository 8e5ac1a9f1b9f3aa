"""Published files, as they were published: from a folder at hand, the cache, or their site."""

import os
from pathlib import Path

import pooch

from training.errors import DataError

SITES = {
    "mnist": "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "fashion-mnist": "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "binarized-mnist": "http://www.cs.toronto.edu/~larocheh/public/datasets/binarized_mnist/",
}

SHA256 = {
    "mnist/train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "mnist/train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "mnist/t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "mnist/t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    "fashion-mnist/train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "fashion-mnist/train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "fashion-mnist/t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "fashion-mnist/t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    "binarized-mnist.npz": "5d51577b4fd0084860498452cd2210a131fe2eb22edbe07ac18f565d747bc4e6",
    "binarized-mnist/binarized_mnist_train.amat": "ad693b29f94c14277b095f5238ddefbbdaaae0939789dd2f4f0205278cee3e4d",
    "binarized-mnist/binarized_mnist_valid.amat": "1de3d397c40fe8eeb33dafd4099a1f665ec01e96d9be234aaeeac8a34930e2e2",
    "binarized-mnist/binarized_mnist_test.amat": "e6687bfea3f820c174f33b7865140b2a2dd2930ef786f35d45795fc193b5ab2c",
}


def fetch(dataset: str, file: str) -> Path:
    """The file below REPARAM_DATA if it is there, else from the cache, else downloaded; its sha256 is checked."""
    name = f"{dataset}/{file}"
    path = local(name)
    if path is not None:
        return path
    cache = pooch.os_cache("reparam") / dataset
    try:
        return Path(pooch.retrieve(SITES[dataset] + file, known_hash=SHA256[name], fname=file, path=cache))
    except (OSError, ValueError) as error:
        raise DataError(
            f"{file} could not be fetched ({error}); set REPARAM_DATA to a folder that holds {name}"
        ) from error


def local(name: str) -> Path | None:
    """The file below REPARAM_DATA, if there is one; its sha256 is checked."""
    folder = os.environ.get("REPARAM_DATA")
    path = Path(folder) / name if folder else None
    if path is None or not path.exists():
        return None
    if pooch.file_hash(str(path)) != SHA256[name]:
        raise DataError(f"{path} is not the published file: its sha256 differs")
    return path
