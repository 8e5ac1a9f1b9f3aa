"""Rows in the shape of a model's examples."""

from math import prod
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from models.errors import ReparamError
from service.client.results import Model


def shaped(x: NDArray[Any], model: Model, path: Path) -> NDArray[Any]:
    """Rows that have the model's shape, or its values one behind the other; a view, so that nothing is read."""
    shape = tuple(model.shapes["x"])
    if x.ndim and (x.shape[1:] == shape or x.shape[1:] == (prod(shape),)):
        return x.reshape(len(x), *shape)
    needed = ", ".join(map(str, shape))
    raise ReparamError(
        f"{path} has shape {list(x.shape)}; {model.name} needs [rows, {needed}] or [rows, {prod(shape)}]"
    )
