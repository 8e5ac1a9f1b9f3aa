"""Examples as images in a folder, in the order of their names."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.bulk.extra import library
from service.client.results import Model

_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp", ".pgm", ".ppm"})


class ImageFolder:
    """0 to 255 are the two ends of the model's range, as where the service takes a PNG."""

    column = "file"

    def __init__(self, path: Path, model: Model) -> None:
        self._image = library("PIL.Image", "images")
        self._model = model
        self._shape = tuple(model.shapes["x"])
        self._files = images_in(path)
        self.rows = len(self._files)
        if not self.rows:
            raise ReparamError(f"{path} has no images")
        if model.x["kind"] != "image" or model.x["range"] is None or len(self._shape) not in (2, 3):
            raise ReparamError(f"{model.name} takes no pictures; its x is no image with a known range")

    def read(self, rows: range) -> NDArray[Any]:
        return np.stack([self._values(self._files[row]) for row in rows])

    def name(self, row: int) -> str:
        return self._files[row].name

    def _values(self, file: Path) -> NDArray[Any]:
        try:
            with self._image.open(file) as image:
                pixels = np.asarray(image.convert("RGB" if len(self._shape) == 3 else "L"))
        except (OSError, SyntaxError) as error:
            raise ReparamError(f"{file} is no image that can be read") from error
        if pixels.ndim == 3:
            pixels = np.moveaxis(pixels, -1, 0)
        if pixels.shape != self._shape:
            size = " x ".join(map(str, self._shape[-2:]))
            raise ReparamError(
                f"{file} has {pixels.shape[-2]} x {pixels.shape[-1]} pixels; {self._model.name} takes {size}"
            )
        return self._in_range(pixels, file)

    def _in_range(self, pixels: NDArray[np.uint8], file: Path) -> NDArray[Any]:
        low, high = self._model.x["range"]
        x: NDArray[np.float64] = low + pixels.astype(np.float64) * ((high - low) / 255)
        if self._model.x["support"] == "real":
            return x
        levels = np.rint(x)
        if not (np.rint(255 * (levels - low) / (high - low)) == pixels).all():
            shown = "0 and 255" if high - low == 1 else f"rounded multiples of 255/{high - low:g}"
            raise ReparamError(f"{file} has grey levels that {self._model.name} gives no probability; it takes {shown}")
        return levels


def images_in(path: Path) -> list[Path]:
    return sorted(file for file in path.iterdir() if file.suffix.lower() in _SUFFIXES and file.is_file())
