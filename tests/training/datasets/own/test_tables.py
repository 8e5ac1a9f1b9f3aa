"""A table is taken as vectors of its columns, or refused with the row and the column of what is wrong."""

import numpy as np
import polars as pl
import pytest
import torch

from models.manifest import Example
from training import build, datasets
from training.errors import DataError
from training.recipe import Recipe
from training.trainer import fit

ROWS = [f"{k},{10 * k}" for k in range(20)]


@pytest.fixture
def csv(tmp_path):
    """csv(lines): a file of them."""

    def write(lines):
        (tmp_path / "own.csv").write_text("\n".join(lines) + "\n")
        return str(tmp_path / "own.csv")

    return write


@pytest.fixture
def parquet(tmp_path):
    """parquet(columns): a file of them."""

    def write(columns):
        pl.DataFrame(columns).write_parquet(tmp_path / "own.parquet")
        return str(tmp_path / "own.parquet")

    return write


def in_order(dataset):
    """All rows, by their first column."""
    rows = np.concatenate([dataset.train, dataset.validation, dataset.test])
    return rows[np.argsort(rows[:, 0])].tolist()


def test_csv_and_parquet_hold_the_same_rows_as_an_array(csv, parquet, tmp_path):
    a, b = np.arange(20) / 8, np.arange(20) * -1e6
    np.save(tmp_path / "own.npy", np.stack([a, b], axis=1))
    loaded = datasets.load(csv(["a,b", *(f"{x!r},{y!r}" for x, y in zip(a.tolist(), b.tolist(), strict=True))]))
    assert loaded.example == Example(kind="vector", support="real")
    assert loaded.train.shape == (16, 2)
    assert loaded.digest == datasets.load(str(tmp_path / "own.npy")).digest
    assert loaded.digest == datasets.load(parquet({"a": a, "b": b})).digest


@pytest.mark.parametrize(
    ("cell", "support", "expected"),
    [
        ("{0}", None, Example(kind="vector", support="levels", range=(0, 19))),
        ("{0}", "real", Example(kind="vector", support="real")),
        ("-{0}", None, Example(kind="vector", support="real")),
        ("{1}", None, Example(kind="vector", support="binary", range=(0, 1))),
    ],
)
def test_support_of_a_table_is_seen_in_its_values(csv, cell, support, expected):
    rows = [cell.format(k, k % 2) for k in range(20)]
    assert datasets.load(csv(["a", *rows]), support).example == expected


def test_truth_values_of_a_parquet_are_0_and_1(parquet):
    columns = {"a": np.arange(20, dtype=np.uint8), "b": np.arange(20) % 2 == 1}
    assert in_order(datasets.load(parquet(columns))) == [[k, k % 2] for k in range(20)]


@pytest.mark.parametrize(
    ("label", "names"),
    [
        (lambda k: k % 11, tuple(map(str, range(11)))),
        (lambda k: ("ten", "two")[k % 2], ("ten", "two")),
        (lambda k: (" 10 ", "9x")[k % 2], ("10", "9x")),
    ],
)
def test_column_label_holds_the_labels_and_is_never_data(csv, parquet, label, names):
    labels = [label(k) for k in range(200)]
    text = csv(["a,label,b", *(f"{k},{label},0" for k, label in enumerate(labels))])
    for path in (text, parquet({"a": range(200), "label": labels, "b": [0] * 200})):
        own = datasets.load(path, "real", labels=True)
        assert own.labels.names == names
        assert in_order(own) == [[k, 0] for k in range(200)]
        for split, places in zip((own.train, own.validation, own.test), own.labels[1:], strict=True):
            assert [names[place] for place in places] == [str(labels[int(k)]).strip() for k in split[:, 0]]
        unlabelled = datasets.load(path, "real")
        assert unlabelled.labels is None
        np.testing.assert_array_equal(unlabelled.train, own.train)


def test_categories_of_a_parquet_are_labels(parquet):
    labels = pl.Series(["b", "a"] * 10, dtype=pl.Categorical)
    assert datasets.load(parquet({"a": range(20), "label": labels}), labels=True).labels.names == ("a", "b")


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ("12a", '"12a" is not a number'),
        ("NA", '"NA" is not a number'),
        ('"1,5"', '"1,5" is not a number'),
        ("", "nothing stands there; a number is needed"),
        (" ", "nothing stands there; a number is needed"),
        ("nan", "nan is not finite in single precision"),
        ("-inf", "-inf is not finite in single precision"),
        ("1e39", "1e39 is not finite in single precision"),
        ("1e400", "1e400 is not finite in single precision"),
    ],
)
def test_bad_cell_of_a_csv_is_refused_with_its_place(csv, cell, complaint):
    """The third row below the header is the fourth line of the file."""
    path = csv(["a,b", *ROWS[:2], f"7,{cell}", *ROWS[2:]])
    with pytest.raises(DataError, match=f'own.csv, row 3 below the header, column "b": {complaint}'):
        datasets.load(path)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        (None, "nothing stands there; a number is needed"),
        (float("nan"), "nan is not finite in single precision"),
        (1e39, r"1e\+39 is not finite in single precision"),
    ],
)
def test_bad_cell_of_a_parquet_is_refused_with_its_place(parquet, value, complaint):
    columns = {"a": range(20), "b": [0.5, 0.5, value, *[0.5] * 17]}
    with pytest.raises(DataError, match=f'own.parquet, row 3, column "b": {complaint}'):
        datasets.load(parquet(columns))


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [
        ({"a": [[1, 2]] * 20}, r'column "a" is of type List\(Int64\); numbers are needed'),
        ({"a": ["x"] * 20}, 'own.parquet, row 1, column "a": "x" is not a number'),
        ({"a": range(20), "__index_level_0__": range(20)}, 'column 2, "__index_level_0__", has no name of its own'),
    ],
)
def test_parquet_of_other_than_numbers_is_refused(parquet, columns, complaint):
    with pytest.raises(DataError, match=complaint):
        datasets.load(parquet(columns))


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_table_that_cannot_be_read_is_refused(tmp_path, suffix):
    with pytest.raises(DataError, match=rf"own.{suffix} is not a readable \.{suffix}.*No such file"):
        datasets.load(str(tmp_path / f"own.{suffix}"))
    (tmp_path / "own.parquet").write_bytes(b"PAR1 and no more PAR1")
    with pytest.raises(DataError, match=r"own.parquet is not a readable \.parquet: "):
        datasets.load(str(tmp_path / "own.parquet"))


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        ([0.5] * 20, 'column "label" is of type Float64; whole numbers or text are needed'),
        (["a", None] * 10, 'own.parquet, row 2, column "label": nothing stands there; a label is needed'),
        (["a", " "] * 10, 'own.parquet, row 2, column "label": nothing stands there; a label is needed'),
    ],
)
def test_bad_labels_are_refused_if_asked_for(parquet, labels, complaint):
    path = parquet({"a": range(20), "label": labels})
    assert datasets.load(path).labels is None
    with pytest.raises(DataError, match=complaint):
        datasets.load(path, labels=True)


def test_table_without_labels_is_refused_if_they_are_asked_for(csv):
    with pytest.raises(DataError, match=r"own.csv does not hold a label for every row; .* column label of a .csv"):
        datasets.load(csv(["a,b", *ROWS]), labels=True)


SCALES = {
    "name": "scales",
    "title": "A test",
    "family": "vae",
    "model": {"latent": 2, "likelihood": "gaussian", "encoder": {"widths": [8]}, "decoder": {"widths": [8]}},
    "training": {"epochs": 3, "batch_size": 16, "threads": 1},
}


def test_samples_come_back_in_the_units_of_columns_of_very_different_scale(csv, tmp_path):
    """Whatever has been learned, standardized draws are of order 1, and so are those of the columns in their units."""
    center, spread = np.array([1e6, -3.0, 5e-4]), np.array([1e4, 1.0, 1e-6])
    rows = center + spread * np.random.default_rng(0).normal(size=(1000, 3))
    source = csv(["mass,charge,size", *(",".join(map(repr, row)) for row in rows.tolist())])
    asked = Recipe.model_validate(SCALES | {"data": {"source": source}})
    data = build.load(asked)
    vae = build.build(asked, data)
    fit(vae, data, asked, tmp_path / "checkpoint.pt", "cpu")
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        x = vae.decode(torch.randn(500, 2, generator=generator), torch.randn(500, 3, generator=generator))["x"]
    standardized = (x.numpy() - center) / spread
    assert np.abs(standardized.mean(axis=0)).max() < 0.5
    assert standardized.std(axis=0) == pytest.approx([1, 1, 1], abs=0.5)
