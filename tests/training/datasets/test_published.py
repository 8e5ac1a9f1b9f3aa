"""A published file is taken only as it was published, and a missing one says where it may be put."""

import pytest

from training import datasets
from training.datasets import published
from training.errors import DataError


@pytest.mark.parametrize(
    ("name", "file"),
    [("mnist", "mnist/train-images-idx3-ubyte.gz"), ("binarized-mnist", "binarized-mnist.npz")],
)
def test_file_of_another_digest_is_refused(data_folder, name, file):
    data_folder(file, b"not the published bytes", known=False)
    with pytest.raises(DataError, match=f"{file} is not the published file: its sha256 differs"):
        datasets.load(name)


def test_download_that_fails_says_where_a_file_may_be_put(tmp_path, monkeypatch):
    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setenv("REPARAM_DATA", str(tmp_path))
    monkeypatch.setattr(published.pooch, "retrieve", refuse)
    with pytest.raises(DataError, match=r"no network.*set REPARAM_DATA to a folder that holds mnist/train-images"):
        datasets.load("mnist")


def test_every_file_has_a_site_or_is_only_kept_by_hand():
    assert {name.split("/")[0] for name in published.SHA256} == {*published.SITES, "binarized-mnist.npz"}
