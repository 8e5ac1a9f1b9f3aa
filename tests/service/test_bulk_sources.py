"""Examples are the same from whatever they are read, and what cannot be read is told by its place."""

import numpy as np
import polars
import pytest
from PIL import Image

from models.errors import ReparamError
from service.bulk.digest import digest
from service.bulk.sources import open_source, single
from service.client.results import Model

X = np.random.default_rng(0).integers(0, 2, (7, 2, 2)).astype(np.float32)
FLAT = X.reshape(7, 4)


def model(shape=(2, 2), support="binary", ends=(0, 1), kind="image"):
    x = {"kind": kind, "support": support, "range": list(ends) if ends else None}
    return Model("tiny", 1, ("1",), "0", "", "", "", x, {"x": list(shape)}, (), ("score",), {}, {}, {})


def as_images(folder, pixels):
    folder.mkdir()
    for i, image in enumerate(pixels):
        Image.fromarray(image).save(folder / f"{i:02}.png")


WRITERS = {
    "x.npy": lambda path: np.save(path, X),
    "flat.npy": lambda path: np.save(path, FLAT.astype(np.uint8)),
    "bool.npy": lambda path: np.save(path, X.astype(bool)),
    "big.npy": lambda path: np.save(path, X.astype(">f8")),
    "one.npz": lambda path: np.savez_compressed(path, X),
    "named.npz": lambda path: np.savez(path, x=X, label=np.zeros(7)),
    "x.csv": lambda path: np.savetxt(path, FLAT, delimiter=",", fmt="%g"),
    "head.csv": lambda path: np.savetxt(path, FLAT, delimiter=",", fmt="%g", header="a,b,c,d", comments=""),
    "gaps.csv": lambda path: path.write_text("\n\n".join(",".join(map(str, row)) for row in FLAT)),
    "columns.parquet": lambda path: polars.DataFrame(FLAT).write_parquet(path),
    "lists.parquet": lambda path: polars.DataFrame({"x": FLAT.tolist()}).write_parquet(path),
    "nested.parquet": lambda path: polars.DataFrame({"x": X.tolist()}).write_parquet(path),
    "images": lambda path: as_images(path, (255 * X).astype(np.uint8)),
}


@pytest.mark.parametrize("name", WRITERS)
@pytest.mark.parametrize("first", [0, 3])
def test_rows_are_those_that_were_written(tmp_path, name, first):
    WRITERS[name](tmp_path / name)
    source = open_source(tmp_path / name, model())
    parts = [range(start, min(start + 2, 7)) for start in range(first, 7, 2)]
    assert source.rows == 7
    assert np.array_equal(np.concatenate([single(source.read(part)) for part in parts]), X[first:])
    assert np.array_equal(single(source.read(range(1, 2))), X[1:2])
    assert source.name(3) == ("03.png" if source.column == "file" else "3")


def test_npy_is_not_read_as_a_whole(tmp_path):
    np.save(tmp_path / "x.npy", X)
    assert isinstance(open_source(tmp_path / "x.npy", model()).read(range(2)), np.memmap)


def test_images_of_colours_and_levels(tmp_path):
    colours = np.random.default_rng(1).integers(0, 256, (2, 4, 3, 3), np.uint8)
    as_images(tmp_path / "colours", colours)
    found = open_source(tmp_path / "colours", model((3, 4, 3), "real", (-1, 1))).read(range(2))
    np.testing.assert_allclose(found, np.moveaxis(colours, -1, 1) / 127.5 - 1, atol=1e-6)
    levels = np.arange(16).reshape(1, 4, 4)
    as_images(tmp_path / "levels", np.rint(levels * 255 / 16).astype(np.uint8))
    assert np.array_equal(open_source(tmp_path / "levels", model((4, 4), "levels", (0, 16))).read(range(1)), levels)


def read_all(path):
    source = open_source(path, model())
    return [source.read(range(row, row + 1)) for row in range(source.rows)]


REFUSED = {
    "x.txt": (lambda path: path.write_text("1"), "none of .npy, .npz, .csv, .parquet and no folder"),
    "no.npy": (lambda path: None, "there is no file"),
    "shape.npy": (lambda path: np.save(path, np.zeros((3, 5))), r"needs \[rows, 2, 2\] or \[rows, 4\]"),
    "broken.npy": (lambda path: path.write_bytes(b"\x93NUMPY"), "is no array"),
    "words.npy": (lambda path: np.save(path, np.array(["a"])), "not numbers"),
    "empty.npy": (lambda path: np.save(path, np.zeros((0, 2, 2))), "has no rows"),
    "two.npz": (lambda path: np.savez(path, a=X, b=X), "the only array, or be named x"),
    "short.csv": (lambda path: path.write_text("0,0,0,0\n0,1\n"), "row 1 of .* has 2 numbers, not 4"),
    "words.csv": (lambda path: path.write_text("0,0,0,0\n0,1,a,0\n"), "row 1 of .* is not numbers"),
    "broken.parquet": (lambda path: path.write_bytes(b"PAR1"), "is no Parquet file"),
    "narrow.parquet": (lambda path: polars.DataFrame(FLAT[:, :3]).write_parquet(path), "has 3 columns"),
    "ragged.parquet": (lambda path: polars.DataFrame({"x": [[0.0], [1.0, 0.0]]}).write_parquet(path), "rows 0 to 0"),
    "empty": (lambda path: path.mkdir(), "has no images"),
    "large": (lambda path: as_images(path, np.zeros((1, 3, 2), np.uint8)), "has 3 x 2 pixels; tiny takes 2 x 2"),
    "grey": (lambda path: as_images(path, np.full((1, 2, 2), 7, np.uint8)), "it takes 0 and 255"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_read_is_refused(tmp_path, name):
    write, sentence = REFUSED[name]
    write(tmp_path / name)
    with pytest.raises(ReparamError, match=sentence):
        read_all(tmp_path / name)


def test_image_that_is_none_is_named(tmp_path):
    as_images(tmp_path / "images", np.zeros((1, 2, 2), np.uint8))
    (tmp_path / "images" / "00.png").write_bytes(b"none")
    with pytest.raises(ReparamError, match=r"00\.png is no image"):
        open_source(tmp_path / "images", model()).read(range(1))


def test_vectors_are_no_pictures(tmp_path):
    as_images(tmp_path / "images", np.zeros((1, 2, 2), np.uint8))
    with pytest.raises(ReparamError, match="takes no pictures"):
        open_source(tmp_path / "images", model((4,), "real", None, "vector"))


def test_digest_is_of_every_byte_and_every_name(tmp_path):
    folder = tmp_path / "images"
    as_images(folder, np.zeros((2, 2, 2), np.uint8))
    found = {digest(folder)}
    (folder / "note.txt").write_text("no image")
    found.add(digest(folder))
    assert len(found) == 1
    (folder / "00.png").rename(folder / "02.png")
    found.add(digest(folder))
    (folder / "02.png").write_bytes(b"")
    found.add(digest(folder))
    assert len(found) == 3
