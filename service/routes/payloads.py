"""Bodies that are the one tensor of a verb, npy or PNG: held against the model before its values are looked at."""

import asyncio
from collections.abc import Awaitable, Callable

import numpy as np
from numpy.typing import NDArray

from models.manifest import OperationName
from service import inputs
from service.encoding import npy, picture, png
from service.errors import InvalidInput
from service.routes.body import LARGE, at_once
from service.routes.negotiation import NPY, PNG
from service.served_model import ServedModel

Reader = Callable[[bytearray, ServedModel, OperationName, str, int], Awaitable[NDArray[np.float32]]]


async def _from_npy(
    body: bytearray, model: ServedModel, operation: OperationName, tensor: str, most_rows: int
) -> NDArray[np.float32]:
    header = npy.header(body)
    inputs.check_shape(model.manifest, operation, tensor, header.shape)
    inputs.check_count("rows", header.shape[0], most_rows)
    return await (at_once if len(body) <= LARGE else asyncio.to_thread)(npy.values, body, header)


async def _from_png(
    body: bytearray, model: ServedModel, operation: OperationName, tensor: str, _: int
) -> NDArray[np.float32]:
    header = png.header(body)
    example = model.manifest.x
    inputs.check_shape(model.manifest, operation, tensor, (1, *header.shape))
    if not picture.shows(example, header.shape):
        raise InvalidInput(f"{model.manifest.name} takes no pictures; its x is no image with a known range")
    pixels = await asyncio.to_thread(png.pixels, body, header)
    return picture.values(pixels[None], example)


READERS: dict[str, Reader] = {NPY: _from_npy, PNG: _from_png}
