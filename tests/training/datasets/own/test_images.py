"""A folder of images is taken as grey levels, with its subfolders as splits and labels."""

import numpy as np
import pytest
from PIL import Image

from models.manifest import Example
from training import datasets
from training.errors import DataError


def image(path, pixels, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **options)
    return path


def flat(level):
    """An image of 2 x 3 pixels whose first one tells it from others."""
    return [[level, 0, 9], [0, 9, 0]]


@pytest.fixture
def folder(tmp_path):
    """Twelve images, a third of them in each of the subfolders b, a and c."""
    for k in range(12):
        image(tmp_path / "own" / "bac"[k % 3] / f"{k}.png", flat(20 * k + k % 3))
    return tmp_path / "own"


def load(folder, *options, **named):
    return datasets.load(str(folder), *options, **named)


def test_images_of_all_subfolders_are_shared_out(folder):
    own = load(folder)
    assert own.name == "own/"
    assert own.example == Example(kind="image", support="levels", range=(0, 255))
    assert [split.shape for split in (own.train, own.validation, own.test)] == [(10, 2, 3), (1, 2, 3), (1, 2, 3)]
    found = np.concatenate([own.train, own.validation, own.test])
    assert sorted(found.tolist()) == sorted(flat(20 * k + k % 3) for k in range(12))
    assert own.labels is None


def test_subfolders_are_the_labels(folder):
    own = load(folder, labels=True)
    assert own.labels.names == ("a", "b", "c")
    assert own.digest != load(folder).digest
    for split, label in zip((own.train, own.validation, own.test), own.labels[1:], strict=True):
        assert ["bac"[level % 20] for level in split[:, 0, 0]] == ["abc"[place] for place in label]


def test_subfolders_of_splits_are_kept_with_the_labels_inside(tmp_path):
    for k, split in enumerate(("train", "validation", "test")):
        image(tmp_path / split / "dark" / "0.png", flat(k))
        image(tmp_path / split / "bright" / "deep" / "0.png", flat(200 + k))
    own = load(tmp_path, labels=True)
    assert own.train[:, 0, 0].tolist() == [200, 0]
    assert own.validation[:, 0, 0].tolist() == [201, 1]
    assert own.test[:, 0, 0].tolist() == [202, 2]
    assert own.labels.names == ("bright", "dark")
    assert [split.tolist() for split in own.labels[1:]] == [[0, 1]] * 3


def test_order_is_that_of_the_paths_not_of_their_making(folder, tmp_path):
    for path in sorted(folder.rglob("*.png"), reverse=True):
        image(tmp_path / "again" / path.relative_to(folder), np.asarray(Image.open(path)))
    assert load(tmp_path / "again").digest == load(folder).digest


def test_hidden_and_other_files_are_passed_over(folder):
    plain = load(folder).digest
    (folder / ".a.png").write_bytes(b"not an image")
    image(folder / ".cache" / "0.png", np.eye(5))
    (folder / "a" / "notes.txt").write_text("not an image")
    assert load(folder).digest == plain


@pytest.mark.parametrize("suffix", ["bmp", "gif", "png", "webp", "PNG"])
def test_lossless_formats_keep_the_levels(tmp_path, suffix):
    levels = np.random.default_rng(0).integers(0, 256, (10, 4, 6), dtype=np.uint8)
    for k, pixels in enumerate(levels):
        image(tmp_path / f"{k}.{suffix}", pixels, **{"lossless": True} if suffix == "webp" else {})
    own = load(tmp_path)
    assert sorted(np.concatenate([own.train, own.validation, own.test]).tolist()) == sorted(levels.tolist())


def test_photographs_are_turned_upright_and_grey(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6  # the camera lay on its side: rows of the file are columns of the picture
    for k in range(10):
        image(tmp_path / f"{k}.jpg", np.full((8, 16, 3), (k, 0, 0)), exif=exif)
    assert load(tmp_path, "levels").shape == (16, 8)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBA", "LA"])
def test_images_of_black_and_white_alone_are_binary(tmp_path, mode):
    for k in range(10):
        Image.fromarray(np.diag([255] * k + [0] * (10 - k)).astype(np.uint8)).convert(mode).save(tmp_path / f"{k}.png")
    own = load(tmp_path)
    assert own.example == Example(kind="image", support="binary", range=(0, 1))
    found = np.concatenate([own.train, own.validation, own.test])
    assert sorted(found.sum(axis=(1, 2)).tolist()) == list(range(10))
    assert load(tmp_path, "levels").example.range == (0, 255)
    assert load(tmp_path, "levels").train.max() == 255


def test_images_of_0_and_1_are_nearly_black_levels(tmp_path):
    for k in range(10):
        image(tmp_path / f"{k}.png", np.eye(3))
    assert load(tmp_path).example == Example(kind="image", support="levels", range=(0, 255))
    with pytest.raises(DataError, match=r"is levels, .* cannot be taken as binary, .* in images 0 and 255"):
        load(tmp_path, "binary")


def truncated(folder):
    path = folder / "a" / "1.png"
    path.write_bytes(path.read_bytes()[:45])


def deep(folder):
    Image.fromarray(np.full((2, 3), 1000, np.uint16)).save(folder / "a" / "1.png")


def animated(folder):
    frames = [Image.fromarray(np.full((2, 3), level, np.uint8)) for level in (0, 200)]
    frames[0].save(folder / "a" / "1.gif", save_all=True, append_images=frames[1:])


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        (lambda folder: (folder / "a" / "1.png").write_bytes(b"text"), r"a/1\.png is not a readable image"),
        (truncated, r"a/1\.png is not a readable image"),
        (lambda folder: image(folder / "b" / "3.png", np.eye(4, 5)), r"b/3\.png is 5x4 pixels, .*a/1\.png is 3x2;"),
        (deep, r"a/1\.png has more than 8 bits \(mode I;16\)"),
        (animated, r"a/1\.gif has several frames; an image is one picture"),
        (lambda folder: image(folder / "a" / "1.png", np.zeros((2, 3, 4))), r"a/1\.png has transparent pixels; "),
        (lambda folder: image(folder / "train" / "0.png", flat(0)), "own has train alone; train, validation and test"),
    ],
)
def test_image_that_cannot_be_taken_is_refused_by_its_name(folder, spoil, complaint):
    spoil(folder)
    with pytest.raises(DataError, match=complaint):
        load(folder)


def test_folder_of_too_few_images_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"holds no image; images end in \.bmp, .*\.png"):
        load(tmp_path)
    (tmp_path / "table.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match=r"holds no image, but table\.csv; images end in"):
        load(tmp_path)
    for k in range(9):
        image(tmp_path / f"{k}.png", flat(k))
    with pytest.raises(DataError, match="has 9 rows; at least 10 are needed"):
        load(tmp_path)


def test_split_without_images_and_image_without_split_are_refused(tmp_path):
    for split in ("train", "validation"):
        image(tmp_path / split / "0.png", flat(0))
    (tmp_path / "test").mkdir()
    with pytest.raises(DataError, match="/test holds no image"):
        load(tmp_path)
    image(tmp_path / "other" / "0.png", flat(0))
    with pytest.raises(DataError, match=r"other/0\.png stands beside .*'s train, validation and test"):
        load(tmp_path)


def test_labels_asked_for_need_a_subfolder_for_every_image(folder, tmp_path):
    image(folder / "loose.png", flat(0))
    assert load(folder).labels is None
    with pytest.raises(DataError, match=r"own/loose\.png is in no subfolder of .*own; the subfolder is"):
        load(folder, labels=True)
    for k in range(10):
        image(tmp_path / "plain" / f"{k}.png", flat(k))
    with pytest.raises(DataError, match=r"plain does not hold a label for every row; .* or the subfolders of images"):
        load(tmp_path / "plain", labels=True)
