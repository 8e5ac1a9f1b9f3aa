"""How answers become results; fields that a newer service adds are left out."""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

import httpx
import numpy as np

from service.client.arrays import from_lists, from_npy
from service.client.problems import problem_of
from service.client.results import Answer, Model, ModelState, Row, Scores

A = TypeVar("A", bound=Answer)

_TENSORS = frozenset({"x", "z", "mean", "log_variance", "kl_per_dimension", "realness"})
_OF_A_SCORE = (
    "elbo",
    "elbo_std_error",
    "importance_weighted_bound",
    "importance_weighted_bound_std_error",
    "effective_sample_size",
    "bits_per_dim",
    "percentile",
)


def of_json(kind: type[A]) -> Callable[[httpx.Response], A]:
    return lambda response: kind(**_known(kind, _with_arrays(response.json())))


def of_npy(kind: type[A], output: str, index: int) -> Callable[[httpx.Response], A]:
    """The one output as npy; the headers say the rest."""

    def read(response: httpx.Response) -> A:
        model, _, version = response.headers["Reparam-Model"].rpartition("/")
        return kind(
            model=model,
            version=int(version),
            digest=response.headers["Reparam-Digest"],
            seed=int(response.headers["Reparam-Seed"]),
            index=index,
            **{output: from_npy(response.content)},
        )

    return read


def scores(response: httpx.Response) -> Scores:
    """The rows as columns."""
    answer = response.json()
    rows = answer.pop("rows")
    columns: dict[str, Any] = {name: np.array([row[name] for row in rows], np.float64) for name in _OF_A_SCORE}
    return Scores(
        **_known(Scores, answer),
        **columns,
        reliable=np.array([row["reliable"] for row in rows], np.bool_),
        terms={name: np.array([row["terms"][name] for row in rows], np.float64) for name in rows[0]["terms"]},
        reasons=tuple(row["reason"] for row in rows),
    )


def row(line: str) -> Row:
    """A line of a stream; Problem if the line tells of one, which then is the last."""
    found = json.loads(line)
    if "status" in found:
        raise problem_of(found)
    return Row(**_known(Row, _with_arrays(found)))


def models(response: httpx.Response) -> tuple[ModelState, ...]:
    return tuple(ModelState(**_known(ModelState, _with_tuples(state))) for state in response.json()["models"])


def model(response: httpx.Response) -> Model:
    found = response.json()
    return Model(**_known(Model, {**_with_tuples(found), "x": found["x"]}))


def _with_arrays(answer: dict[str, Any]) -> dict[str, Any]:
    read = {name: from_lists(value) if name in _TENSORS else value for name, value in answer.items()}
    return read | {"reasons": tuple(answer["reasons"])} if "reasons" in answer else read


def _with_tuples(found: dict[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}


def _known(kind: type[Any], found: dict[str, Any]) -> dict[str, Any]:
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in found.items() if name in names}
