"""Data sets are what their names say; a user's own file is taken as what it is, or refused with the reason."""

import gzip
from hashlib import sha256

import numpy as np
import pytest
from sklearn.datasets import load_digits

from models.manifest import Example
from training import datasets
from training.errors import DataError

PICKLED = np.array([{"a": 1}], dtype=object)


def splits(dataset):
    return dataset.train, dataset.validation, dataset.test


def saved(path, content):
    """A .npy of an array, a .npz of a dictionary, or the bytes given."""
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif isinstance(content, dict):
        np.savez(path, **content)
    else:
        np.save(path, content, allow_pickle=True)
    return path


def test_digits_are_shared_out_without_loss_or_overlap():
    digits = datasets.load("digits")
    assert [split.shape for split in splits(digits)] == [(1297, 8, 8), (250, 8, 8), (250, 8, 8)]
    assert digits.example == Example(kind="image", support="levels", range=(0, 16))
    shared_out = sorted(row.tobytes() for split in splits(digits) for row in split)
    assert shared_out == sorted(row.tobytes() for row in load_digits().images.astype(np.uint8))


def test_rows_of_a_file_are_shared_out_80_10_10(tmp_path):
    rows = np.arange(1230).reshape(123, 10)
    own = datasets.load(str(saved(tmp_path / "own.npy", rows)))
    assert [len(split) for split in splits(own)] == [99, 12, 12]
    np.testing.assert_array_equal(np.sort(np.concatenate(splits(own))[:, 0]), rows[:, 0])
    assert own.name == "own"
    assert own.shape == (10,)


def test_splits_of_a_file_are_kept(tmp_path):
    content = {name: np.full((k, 2), k) for k, name in enumerate(("train", "validation", "test"), start=1)}
    own = datasets.load(str(saved(tmp_path / "own.npz", content)))
    assert [split.tolist() for split in splits(own)] == [[[1, 1]], [[2, 2]] * 2, [[3, 3]] * 3]


def test_digest_is_that_of_the_splits_whichever_file_held_them(tmp_path):
    rows = np.random.default_rng(0).integers(0, 9, size=(20, 3))
    plain = datasets.load(str(saved(tmp_path / "a.npy", rows)))
    packed = datasets.load(str(saved(tmp_path / "b.npz", {"x": rows.astype(np.float64)})))
    expected = sha256()
    for split in splits(plain):
        expected.update(f"|u1{split.shape}".encode() + split.tobytes())
    assert plain.digest == packed.digest == expected.hexdigest()
    rows[0, 0] += 1
    assert datasets.load(str(saved(tmp_path / "a.npy", rows))).digest != plain.digest


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
def test_support_is_seen_in_the_values(tmp_path, rows, support, expected):
    own = datasets.load(str(saved(tmp_path / "own.npy", rows)), support)
    assert own.example == expected
    assert {split.dtype for split in splits(own)} == {np.dtype("f4" if expected.support == "real" else "u1")}


@pytest.mark.parametrize(
    ("name", "content", "support", "complaint"),
    [
        ("own.txt", b"", None, r"own.txt is neither one of digits, mnist, .* nor a .npy or .npz file"),
        ("own.npy", b"", None, "own.npy is not a readable array file"),
        ("own.npz", b"PK", None, "own.npz is not a readable array file"),
        ("own.npy", PICKLED, None, "own.npy is not a readable array file"),
        ("own.npz", {"x": PICKLED}, None, "own.npz is not a readable array file"),
        ("own.npz", {"y": np.eye(10), "z": np.eye(2)}, None, "holds y, z; it needs x, or train, validation and test"),
        ("own.npy", np.full((10, 2), "a"), None, "values of type <U1; numbers are needed"),
        ("own.npy", np.ones((10, 2), complex), None, "values of type complex128; numbers are needed"),
        ("own.npy", np.ones(10), None, r"shape \(10,\); \(rows, features\) or \(rows, height, width\) is needed"),
        ("own.npy", np.ones((10, 0)), None, r"shape \(10, 0\); "),
        ("own.npy", np.eye(9), None, "own.npy has 9 rows; at least 10 are needed to share out"),
        ("own.npy", np.diag([0.0] * 9 + [np.nan]), None, "row 9 holds a value that is not finite"),
        ("own.npy", np.diag([0.5] * 9 + [1e300]), None, "row 9 holds a value that is not finite in single precision"),
        (
            "own.npz",
            {"train": np.eye(3), "validation": np.eye(2), "test": np.eye(3)},
            None,
            "the rows of train, validation and test differ in shape",
        ),
        (
            "own.npz",
            {"train": np.eye(3), "validation": np.ones(3), "test": np.eye(3)},
            None,
            r"own.npz, validation: shape \(3,\)",
        ),
        ("own.npy", np.zeros((10, 2)), None, "own holds no value but 0"),
        ("own.npy", 7 * np.eye(10), "binary", "own is levels, with values from 0 to 7; it cannot be taken as binary"),
        ("own.npy", np.eye(10) - 1, "levels", "own is real, with values from -1 to 0; it cannot be taken as levels"),
    ],
)
def test_file_that_cannot_be_taken_is_refused_with_the_reason(tmp_path, name, content, support, complaint):
    with pytest.raises(DataError, match=complaint):
        datasets.load(str(saved(tmp_path / name, content)), support)


@pytest.mark.parametrize("name", datasets.DATASETS)
def test_support_of_a_known_data_set_cannot_be_chosen(name):
    with pytest.raises(DataError, match=f"{name} has a support of its own; support is for data from a file"):
        datasets.load(name, "real")


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"none.npy is not a readable array file: .*No such file"):
        datasets.load(str(tmp_path / "none.npy"))


@pytest.fixture
def data_folder(tmp_path, monkeypatch):
    """place(name, content, known=True) puts a file below REPARAM_DATA and takes it for the published one."""
    monkeypatch.setenv("REPARAM_DATA", str(tmp_path))

    def place(name, content, known=True):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        if known:
            monkeypatch.setitem(datasets._SHA256, name, sha256(content).hexdigest())

    return place


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


@pytest.mark.parametrize("packed", [False, True])
def test_binarized_images_are_read_from_text_and_from_bits(data_folder, tmp_path, packed):
    names = ("train", "valid", "test")
    pixels = {name: np.random.default_rng(k).integers(0, 2, (k, 784)) for k, name in enumerate(names, start=2)}
    for name, rows in pixels.items():
        text = "".join(" ".join(map(str, row)) + "\n" for row in rows)
        data_folder(f"binarized-mnist/binarized_mnist_{name}.amat", text.encode())
    if packed:
        bits = {name: np.packbits(rows.astype(np.uint8), axis=1) for name, rows in pixels.items()}
        path = saved(tmp_path / "packed.npz", bits)
        data_folder("binarized-mnist.npz", path.read_bytes())
    loaded = datasets.load("binarized-mnist")
    for split, rows in zip(splits(loaded), pixels.values(), strict=True):
        np.testing.assert_array_equal(split, rows.reshape(-1, 28, 28))
    assert loaded.example == Example(kind="image", support="binary", range=(0, 1))


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
    monkeypatch.setattr(datasets.pooch, "retrieve", refuse)
    with pytest.raises(DataError, match=r"no network.*set REPARAM_DATA to a folder that holds mnist/train-images"):
        datasets.load("mnist")
