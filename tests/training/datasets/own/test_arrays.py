"""An array file is taken as what it is, or refused with the place of what is wrong."""

import io
import random
import warnings
import zipfile

import numpy as np
import pytest

from training import datasets
from training.errors import DataError

PICKLED = np.array([{"a": 1}], dtype=object)
SPLITS = ("train", "validation", "test")


def saved(path, content):
    """A .npy of an array, a .npz of a dictionary, or the bytes given."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content, allow_pickle=True)
    return str(path)


def test_splits_of_a_file_are_kept_with_their_labels(tmp_path):
    content = {name: np.full((k, 2), k) for k, name in enumerate(SPLITS, start=1)}
    content |= {"train_label": np.array([7]), "validation_label": np.array([7, 7]), "test_label": np.array([7, 7, 7])}
    own = datasets.load(saved(tmp_path / "own.npz", content), labels=True)
    assert [split.tolist() for split in (own.train, own.validation, own.test)] == [[[1, 1]], [[2, 2]] * 2, [[3, 3]] * 3]
    assert own.labels.names == ("7",)
    assert [split.tolist() for split in own.labels[1:]] == [[0], [0, 0], [0, 0, 0]]


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (np.arange(100) % 11, tuple(map(str, range(11)))),
        (np.array(["ten", "two", "été"] * 33 + ["two"]), ("ten", "two", "été")),
        (np.arange(100) % 2 == 1, ("False", "True")),
    ],
)
def test_labels_are_named_in_their_order_and_stay_with_their_rows(tmp_path, label, names):
    own = datasets.load(saved(tmp_path / "own.npz", {"x": np.arange(200).reshape(100, 2), "label": label}), labels=True)
    assert own.labels.names == names
    for split, places in zip((own.train, own.validation, own.test), own.labels[1:], strict=True):
        assert places.dtype == np.int64
        assert [names[place] for place in places] == [str(label[row]) for row in split[:, 0] // 2]


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("own.npy", b"", "own.npy is not a readable array file"),
        ("own.npz", b"PK", "own.npz is not a readable array file"),
        ("own.npy", PICKLED, "own.npy is not a readable array file"),
        ("own.npz", {"x": PICKLED}, "own.npz is not a readable array file"),
        ("own.npz", {"y": np.eye(10), "z": np.eye(2)}, "holds y, z; it needs x, or train, validation and test"),
        ("own.npy", np.full((10, 2), "a"), "own.npy: values of type <U1; numbers are needed"),
        ("own.npy", np.ones((10, 2), complex), "values of type complex128; numbers are needed"),
        ("own.npy", np.ones(10), r"shape \(10,\); \(rows, features\) or \(rows, height, width\) is needed"),
        ("own.npy", np.ones((10, 0)), r"shape \(10, 0\); "),
        ("own.npy", np.diag([0.0] * 9 + [np.nan]), r"own.npy: nan at \[9, 9\], counted from 0, is not finite"),
        ("own.npy", np.diag([0.5] * 9 + [1e300]), r"1e\+300 at \[9, 9\], .* is not finite in single precision"),
        (
            "own.npz",
            {"train": np.eye(3), "validation": np.ones(3), "test": np.eye(3)},
            r"own.npz, validation: shape \(3,\)",
        ),
    ],
)
def test_file_that_cannot_be_taken_is_refused_with_the_reason(tmp_path, name, content, complaint):
    with pytest.raises(DataError, match=complaint):
        datasets.load(saved(tmp_path / name, content))


@pytest.mark.parametrize(
    ("label", "complaint"),
    [
        (np.arange(10) / 2, "own.npz, label: labels of type float64; whole numbers or text are needed"),
        (np.arange(9), r"own.npz, label: shape \(9,\); one label for each of 10 rows, \(10,\), is needed"),
        (np.eye(10, dtype=int), r"own.npz, label: shape \(10, 10\); one label for each of 10 rows"),
    ],
)
def test_labels_that_fit_no_rows_are_refused_if_asked_for(tmp_path, label, complaint):
    path = saved(tmp_path / "own.npz", {"x": np.eye(10), "label": label})
    assert datasets.load(path).labels is None
    with pytest.raises(DataError, match=complaint):
        datasets.load(path, labels=True)


def test_file_of_the_other_ending_is_refused_with_the_right_one(tmp_path):
    for right, wrong, content in ((".npy", ".npz", np.eye(10)), (".npz", ".npy", {"x": np.eye(10)})):
        path = tmp_path / f"own{right}"
        saved(path, content)
        with pytest.raises(DataError, match=rf"is a {right} by its content; give it that ending"):
            datasets.load(str(path.rename(path.with_suffix(wrong))))


def test_archive_of_what_is_no_array_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        archive.writestr("x", "1,2,3")
    with pytest.raises(DataError, match="x is no array of numpy's"):
        datasets.load(str(tmp_path / "own.npz"))


def test_array_that_no_memory_could_hold_is_refused(tmp_path):
    whole = io.BytesIO()
    np.save(whole, np.zeros((10, 11)))
    content = whole.getvalue().replace(b"(10, 11), }" + b" " * 12, b"(10, 11000000000000), }", 1)
    assert content != whole.getvalue()
    with pytest.raises(DataError, match=r"own\.npy is not a readable array file"):
        datasets.load(saved(tmp_path / "own.npy", content))


@pytest.mark.parametrize("save", [np.save, np.savez, np.savez_compressed])
def test_spoiled_file_is_taken_or_refused_and_breaks_nothing(tmp_path, save):
    path, chance = tmp_path / ("own.npy" if save is np.save else "own.npz"), random.Random(0)
    save(path, np.random.default_rng(0).normal(size=(30, 3))) if save is np.save else save(path, x=np.eye(30))
    whole, refused = path.read_bytes(), 0
    for _ in range(150):
        spoiled = bytearray(whole)
        for place in chance.choices(range(min(len(whole), 300)), k=chance.randint(1, 4)):
            spoiled[place] = chance.randrange(256)
        path.write_bytes(spoiled[: chance.choice([None, chance.randrange(len(whole))])])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                datasets.load(str(path))
            except DataError:
                refused += 1
    assert refused > 50


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.npy is not a readable array file: .*No such file"):
        datasets.load(str(tmp_path / "none.npy"))
