"""Which rows can be scored at all."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import ReparamError
from service.client.results import Model


def finite_rows(x: NDArray[Any]) -> NDArray[np.bool_]:
    if x.dtype == np.uint8:
        return np.ones(len(x), np.bool_)
    rows: NDArray[np.bool_] = np.isfinite(x.reshape(len(x), -1)).all(axis=1)
    return rows


def check_support(model: Model, x: NDArray[Any], name: Callable[[int], str]) -> None:
    """ReparamError that names the first row with values to which the model gives no probability."""
    wrong = ~_is_in_range(model, x)
    if model.x["support"] != "real" and x.dtype != np.uint8:
        wrong |= x != np.rint(x)
    rows = np.flatnonzero(wrong.reshape(len(x), -1).any(axis=1))
    if len(rows):
        raise ReparamError(
            f"{name(int(rows[0]))} holds values that {model.name} gives no probability; it takes {_described(model)}"
        )


def _is_in_range(model: Model, x: NDArray[Any]) -> NDArray[np.bool_]:
    if model.x["range"] is None:
        return np.ones(x.shape, np.bool_)
    low, high = model.x["range"]
    within: NDArray[np.bool_] = (x >= low) & (x <= high)
    return within


def _described(model: Model) -> str:
    if model.x["support"] == "binary":
        return "0 and 1"
    low, high = model.x["range"]
    return f"{'the whole numbers from ' if model.x['support'] == 'levels' else ''}{low:g} to {high:g}"
