"""Pictures of examples: what a pixel says in the model's range, and many images in a grid."""

import math
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from models.manifest import Example
from service.errors import InvalidInput

Pixels = NDArray[np.uint8]


def shows(example: Example, shape: tuple[int, ...]) -> bool:
    """Whether pictures can be made of such examples: (height, width) or (3, height, width), in a known range."""
    is_picture = len(shape) == 2 or (len(shape) == 3 and shape[0] == 3)
    return example.kind == "image" and example.range is not None and is_picture


def write(images: NDArray[Any], example: Example) -> bytes:
    """The images (rows, *shape) as a PNG: a grid about as wide as high, row by row. Meant to run in a thread."""
    pixels = _as_pixels(images, example)
    if pixels.ndim == 4:
        pixels = np.moveaxis(pixels, 1, -1)
    file = BytesIO()
    Image.fromarray(_grid(pixels)).save(file, "PNG")
    return file.getvalue()


def values(pixels: Pixels, example: Example) -> NDArray[np.float32]:
    """0 ... 255 in the model's range; InvalidInput for levels from other pixels than those that show them."""
    low, high = example.range or (0, 1)
    x = low + pixels.astype(np.float64) * ((high - low) / 255)
    if example.support == "real":
        return x.astype(np.float32)
    levels = np.rint(x)
    if not (_as_pixels(levels, example) == pixels).all():
        shown = "0 and 255" if example.support == "binary" else f"rounded multiples of 255/{high - low:g}"
        raise InvalidInput(f"the PNG has grey levels that the model gives no probability; it takes {shown}")
    return levels.astype(np.float32)


def _as_pixels(x: NDArray[Any], example: Example) -> Pixels:
    """The range as 0 ... 255; what is not finite is black."""
    low, high = example.range or (0, 1)
    share = (np.nan_to_num(x, nan=low, posinf=low, neginf=low) - low) / (high - low)
    pixels: Pixels = np.rint(255 * np.clip(share, 0, 1)).astype(np.uint8)
    return pixels


def _grid(pixels: Pixels) -> Pixels:
    """(rows, height, width, ...) as one picture; places that are left over stay black."""
    count, height, width, *channels = pixels.shape
    across = math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    places = np.zeros((down * across, height, width, *channels), np.uint8)
    places[:count] = pixels
    by_rows: Pixels = places.reshape(down, across, height, width, *channels).swapaxes(1, 2)
    return by_rows.reshape(down * height, across * width, *channels)
