"""Images of the user's own, from a folder."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from training.datasets.own.rows import SPLITS, Rows
from training.datasets.splits import Array
from training.errors import DataError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")
WHITE = 255


def read(folder: Path, labels: bool) -> tuple[Rows, ...]:
    """All images below `folder`, of one size, as grey levels from 0 to 255, in the order of their paths.

    Subfolders train, validation and test are the splits. The first subfolder on the way to an image is its label.
    Hidden files, and files with other suffixes than SUFFIXES, are passed over.
    """
    folders = _splits(folder)
    paths = {each: _images(each) for each in folders}
    first = paths[folders[0]][0]
    shape = _pixels(first).shape
    return tuple(
        Rows(_stack(found, first, shape), _labels(each, found) if labels else None) for each, found in paths.items()
    )


def _splits(folder: Path) -> list[Path]:
    """The folders of the splits; else the folder itself, to be shared out."""
    present = [folder / name for name in SPLITS if (folder / name).is_dir()]
    if not present:
        return [folder]
    if len(present) < len(SPLITS):
        there = " and ".join(split.name for split in present)
        raise DataError(f"{folder} has {there} alone; train, validation and test are needed, or none of them")
    for path in _images(folder):
        if path.relative_to(folder).parts[0] not in SPLITS:
            raise DataError(f"{path} stands beside {folder}'s train, validation and test; move it into one of them")
    return present


def _images(folder: Path) -> list[Path]:
    """Sorted as text, so that the order is the same on every system."""
    files = [path for path in folder.rglob("*") if path.is_file() and not _is_hidden(path.relative_to(folder))]
    images = [path for path in files if path.suffix.lower() in SUFFIXES]
    if not images:
        other = f", but {min(files).name}" if files else ""
        raise DataError(f"{folder} holds no image{other}; images end in {', '.join(SUFFIXES)}")
    return sorted(images, key=lambda path: path.relative_to(folder).as_posix())


def _is_hidden(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _stack(paths: list[Path], first: Path, shape: tuple[int, ...]) -> Array:
    x = np.empty((len(paths), *shape), np.uint8)
    for row, path in enumerate(paths):
        pixels = _pixels(path)
        if pixels.shape != shape:
            raise DataError(f"{path} is {_size(pixels.shape)} pixels, {first} is {_size(shape)}; one size is needed")
        x[row] = pixels
    return x


def _size(shape: tuple[int, ...]) -> str:
    """Width first, as image programs say it."""
    return f"{shape[1]}x{shape[0]}"


def _pixels(path: Path) -> Array:
    """Grey levels (height, width), turned as the camera noted."""
    try:
        with Image.open(path) as image:
            lost = _lost(image)
            opaque = image.convert("RGBA") if image.has_transparency_data else image
            pixels = np.asarray(ImageOps.exif_transpose(opaque).convert("L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path} is not a readable image: {error}") from error
    if lost:
        raise DataError(f"{path} has {lost}; an image is one picture without transparency, of 8 bits a channel")
    return pixels


def _lost(image: Image.Image) -> str | None:
    """What the image has that grey levels of 8 bits could not show; a photograph's embedded preview is no loss."""
    if image.mode.startswith(("I", "F")):
        return f"more than 8 bits (mode {image.mode})"
    if getattr(image, "is_animated", False) and image.format != "MPO":
        return "several frames"
    if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] < WHITE:
        return "transparent pixels"
    return None


def _labels(folder: Path, paths: list[Path]) -> Array | None:
    """The first folder below `folder` for each image; None if no image is in any."""
    below = [path.relative_to(folder).parts for path in paths]
    loose = [path for path, parts in zip(paths, below, strict=True) if len(parts) == 1]
    if len(loose) == len(paths):
        return None
    if loose:
        raise DataError(f"{loose[0]} is in no subfolder of {folder}; the subfolder is an image's label")
    return np.array([parts[0] for parts in below])
