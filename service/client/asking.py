"""A verb put into a request: which body it takes, and in which type its answer comes."""

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict, TypeVar
from urllib.parse import quote

import httpx
import numpy as np
from numpy.typing import ArrayLike

from service.client import reading
from service.client.arrays import as_npy, as_numbers, as_text
from service.client.call import Call, T
from service.client.results import Answer

A = TypeVar("A", bound=Answer)

JSON, NPY, PNG, LINES = "application/json", "application/x-npy", "image/png", "application/x-ndjson"

_SEEDS = 2**53
_MOST_LABELS_IN_A_QUERY = 256  # thousands would be more than the headers may hold


class How(TypedDict, total=False):
    """What every verb takes: a version of the model, the seed, its first row, and labels of a conditional model."""

    version: int | None
    seed: int | None
    index: int
    label: int | Sequence[int] | None


class Drawing(How, total=False):
    """What verbs that draw take besides: how much noise, and which outputs are wanted."""

    temperature: float | None
    outputs: Sequence[str] | None


def of_model(name: str, version: int | None = None) -> str:
    """The path."""
    path = f"/v2/models/{quote(name, safe='')}"
    return path if version is None else f"{path}/versions/{version}"


def fields(
    seed: int | None = None,
    index: int = 0,
    label: int | Sequence[int] | None = None,
    temperature: float | None = None,
    outputs: Sequence[str] | None = None,
    version: int | None = None,
) -> dict[str, Any]:
    """The fields that verbs share; a seed that is missing is drawn here, so that a second try asks for the same."""
    given = {
        "label": None if label is None else np.asarray(label).tolist(),
        "temperature": temperature,
        "outputs": None if outputs is None else list(outputs),
    }
    drawn = secrets.randbelow(_SEEDS) if seed is None else int(seed)
    return {"seed": drawn, "index": int(index)} | _without_none(given)


def call(kind: type[A], model: str, verb: str, how: Mapping[str, Any], **asked: Any) -> Call[A]:
    """Asked for as npy where one output is wanted, else as JSON."""
    names = how.get("outputs")
    if names is not None and len(names) == 1:
        return post(model, verb, how, NPY, reading.of_npy(kind, names[0], how.get("index", 0)), **asked)
    return post(model, verb, how, JSON, reading.of_json(kind), **asked)


def post(
    model: str,
    verb: str,
    how: Mapping[str, Any],
    accept: str,
    read: Callable[[httpx.Response], T],
    tensor: tuple[str, ArrayLike] | None = None,
    **asked: Any,
) -> Call[T]:
    """A `tensor` is the body as npy, and all else is in the query; without one all is JSON."""
    path = f"{of_model(model, how.get('version'))}/{verb}"
    named = fields(**how) | _without_none(asked)
    if tensor is None or _labels(named) > _MOST_LABELS_IN_A_QUERY:
        body = named if tensor is None else named | {tensor[0]: as_numbers(*tensor).tolist()}
        return Call("POST", path, read, (), _types(JSON, accept), json.dumps(body).encode())
    return Call("POST", path, read, _query(named), _types(NPY, accept), as_npy(as_numbers(*tensor)))


def end_of_path(given: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: as_numbers(name, value).tolist() if name in ("x", "z") else int(value) for name, value in given.items()
    }


def content(response: httpx.Response) -> bytes:
    return response.content


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in given.items() if value is not None}


def _types(body: str, accept: str) -> dict[str, str]:
    return {"Content-Type": body, "Accept": accept}


def _labels(named: Mapping[str, Any]) -> int:
    label = named.get("label")
    return len(label) if isinstance(label, list) else 0


def _query(named: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """What has several values comes several times."""
    return tuple(
        (name, as_text(item))
        for name, value in named.items()
        for item in (value if isinstance(value, list) else [value])
    )
