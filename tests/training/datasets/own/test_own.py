"""What a user's file holds is shared out, taken as its values show, and labelled if that is asked for."""

from hashlib import sha256

import numpy as np
import pytest

from models.manifest import Example
from training import datasets
from training.errors import DataError


def splits(dataset):
    return dataset.train, dataset.validation, dataset.test


@pytest.fixture
def load(tmp_path):
    """load(rows or a dictionary, ...): the data set of a file that holds them."""

    def load(content, *options, **named):
        if isinstance(content, dict):
            np.savez(tmp_path / "own.npz", **content)
            return datasets.load(str(tmp_path / "own.npz"), *options, **named)
        np.save(tmp_path / "own.npy", content)
        return datasets.load(str(tmp_path / "own.npy"), *options, **named)

    return load


def test_rows_of_a_file_are_shared_out_80_10_10(load):
    rows = np.arange(1230).reshape(123, 10)
    own = load(rows)
    assert [len(split) for split in splits(own)] == [99, 12, 12]
    np.testing.assert_array_equal(np.sort(np.concatenate(splits(own))[:, 0]), rows[:, 0])
    assert own.name == "own.npy"
    assert own.shape == (10,)


def test_suffix_may_be_in_capitals(tmp_path):
    with (tmp_path / "OWN.NPY").open("wb") as file:
        np.save(file, np.eye(10))
    assert datasets.load(str(tmp_path / "OWN.NPY")).shape == (10,)


def test_digest_is_that_of_the_splits_whichever_file_held_them(load):
    rows = np.random.default_rng(0).integers(0, 9, size=(20, 3))
    plain, packed = load(rows), load({"x": rows.astype(np.float64), "label": np.arange(20)})
    expected = sha256()
    for split in splits(plain):
        expected.update(f"|u1{split.shape}".encode() + split.tobytes())
    assert plain.digest == packed.digest == expected.hexdigest()
    rows[0, 0] += 1
    assert load(rows).digest != plain.digest


@pytest.mark.parametrize(
    ("rows", "support", "expected"),
    [
        (np.eye(10), None, Example(kind="vector", support="binary", range=(0, 1))),
        (np.eye(10, dtype=bool), None, Example(kind="vector", support="binary", range=(0, 1))),
        (np.eye(10, dtype=int), "levels", Example(kind="vector", support="levels", range=(0, 1))),
        (7 * np.eye(10), None, Example(kind="vector", support="levels", range=(0, 7))),
        (7 * np.eye(10), "real", Example(kind="vector", support="real")),
        (np.eye(10) / 2, None, Example(kind="vector", support="real")),
        (-np.eye(10), None, Example(kind="vector", support="real")),
        (256 * np.eye(10), None, Example(kind="vector", support="real")),
        (np.arange(40).reshape(10, 2, 2), None, Example(kind="image", support="levels", range=(0, 39))),
    ],
)
def test_support_is_seen_in_the_values(load, rows, support, expected):
    own = load(rows, support)
    assert own.example == expected
    assert {split.dtype for split in splits(own)} == {np.dtype("f4" if expected.support == "real" else "u1")}


THREE = {"train": np.eye(3), "validation": np.eye(3), "test": np.eye(3)}


@pytest.mark.parametrize(
    ("content", "support", "complaint"),
    [
        (np.eye(9), None, "own.npy has 9 rows; at least 10 are needed to share out"),
        (THREE | {"validation": np.eye(2)}, None, "the rows of train, validation and test differ in shape"),
        (np.zeros((10, 2)), None, "own.npy holds no value but 0"),
        (
            7 * np.eye(10),
            "binary",
            "own.npy is levels, with values from 0 to 7; it cannot be taken as binary, .* 0 and 1",
        ),
        (
            np.eye(10) - 1,
            "levels",
            "own.npy is real, with values from -1 to 0; .* levels, .* whole numbers from 0 to 255",
        ),
    ],
)
def test_data_that_cannot_be_taken_are_refused_with_the_reason(load, content, support, complaint):
    with pytest.raises(DataError, match=complaint):
        load(content, support)


@pytest.mark.parametrize(
    "content",
    [np.eye(10), {"x": np.eye(10)}, THREE, THREE | {"train_label": np.arange(3), "test_label": np.arange(3)}],
)
def test_data_without_the_labels_asked_for_are_refused_with_where_they_would_be(load, content):
    with pytest.raises(DataError, match=r"does not hold a label for every row; labels are label in a .npz .* column"):
        load(content, labels=True)


def test_label_that_no_training_row_has_is_refused(load):
    labels = {"train_label": [1, 2, 1], "validation_label": [1, 1, 1], "test_label": [1, 2, 5]}
    with pytest.raises(DataError, match=r'own.npz: no training row has the label "5"; leave it out or add rows of it'):
        load(THREE | labels, labels=True)
