"""How each kind of server is asked for the same thing, and what its answer says."""

import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import orjson

from tests.benchmarks.peers.cells import Cell

SEED = 1
_BOUNDS = ("elbo", "importance_weighted_bound")


class Ask(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Dialect(NamedTuple):
    """`ask` takes a cell and the images to score; `read` gives the samples, or the ELBO of each image."""

    ask: Callable[[Cell, np.ndarray], Ask]
    read: Callable[[Cell, bytes], np.ndarray]


def _ask_reparam(cell: Cell, images: np.ndarray) -> Ask:
    what = {"num_samples": cell.rows, "outputs": ["x"]} if cell.verb == "sample" else _of(cell, images)
    accept = {"Accept": "application/x-npy"} if cell.binary else {}
    return _json(f"/v2/models/{cell.bundle}/{cell.verb}", {"seed": SEED, **what}, accept)


def _read_reparam(cell: Cell, body: bytes) -> np.ndarray:
    if cell.binary:
        return np.load(io.BytesIO(body))
    answer = orjson.loads(body)
    return np.array(answer["x"] if cell.verb == "sample" else [row["elbo"] for row in answer["rows"]])


def _ask_plain(cell: Cell, images: np.ndarray) -> Ask:
    return _json(_path(cell), _what(cell, images))


def _read_plain(cell: Cell, body: bytes) -> np.ndarray:
    if cell.binary:
        return np.frombuffer(body, np.float32).reshape(cell.rows, 28, 28)
    return np.array(orjson.loads(body)["x" if cell.verb == "sample" else "elbo"])


def _ask_bentoml(cell: Cell, images: np.ndarray) -> Ask:
    """An API that batches takes a list, and joins those of many callers."""
    what = _what(cell, images)
    return _json(_path(cell), what if cell.binary else {"asked": [what]})


def _read_bentoml(cell: Cell, body: bytes) -> np.ndarray:
    return _read_plain(cell, body if cell.binary else orjson.dumps(orjson.loads(body)[0]))


def _ask_triton(cell: Cell, images: np.ndarray) -> Ask:
    what = {name: np.array(value)[None] for name, value in _what(cell, images).items()}
    inputs = [
        {
            "name": name,
            "shape": list(value.shape) if value.ndim > 1 else [1, 1],
            "datatype": "FP32" if name == "x" else "INT64",
            "data": value.ravel().tolist(),
        }
        for name, value in what.items()
    ]
    outputs = ("x",) if cell.verb == "sample" else _BOUNDS
    wanted = [{"name": name, "parameters": {"binary_data": cell.binary}} for name in outputs]
    return _json(f"/v2/models/{cell.verb}/infer", {"inputs": inputs, "outputs": wanted})


def _read_triton(cell: Cell, body: bytes) -> np.ndarray:
    if cell.binary:
        return _read_plain(cell, body[-cell.rows * 28 * 28 * 4 :])
    wanted = "x" if cell.verb == "sample" else "elbo"
    (output,) = [output for output in orjson.loads(body)["outputs"] if output["name"] == wanted]
    return np.array(output["data"]).reshape(output["shape"][1:])


REPARAM = Dialect(_ask_reparam, _read_reparam)
PLAIN = Dialect(_ask_plain, _read_plain)
BENTOML = Dialect(_ask_bentoml, _read_bentoml)
TRITON = Dialect(_ask_triton, _read_triton)


def _path(cell: Cell) -> str:
    return f"/{cell.verb}{'-bytes' * cell.binary}"


def _what(cell: Cell, images: np.ndarray) -> dict[str, Any]:
    return {"seed": SEED, **({"n": cell.rows} if cell.verb == "sample" else _of(cell, images))}


def _of(cell: Cell, images: np.ndarray) -> dict[str, Any]:
    return {"x": images[: cell.rows].astype(int).tolist(), "samples": cell.samples}


def _json(path: str, what: dict[str, Any], headers: dict[str, str] | None = None) -> Ask:
    body = json.dumps(what, separators=(",", ":")).encode()
    return Ask(path, {"Content-Type": "application/json", **(headers or {})}, body)
