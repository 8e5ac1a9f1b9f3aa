"""What the verbs answer: arrays as JSON, nulls with their reason, and in the headers who answered."""

import time
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from starlette.responses import Response

from service import encoding, trace
from service.errors import InvalidInput
from service.graph import Arrays
from service.schemas import responses
from service.scoring import Scores
from service.served_model import Draw, ServedModel

_NOT_FINITE = "the model's arithmetic overflowed on this row"

AnyResponse = TypeVar("AnyResponse", bound=responses.Response)


def chosen(
    kind: type[responses.TensorResponse],
    outputs: Sequence[str],
    wanted: Sequence[str] | None,
    default: Sequence[str] | None = None,
) -> list[str]:
    """The outputs asked for, of those that the answer has a place for; InvalidInput if one of them is none."""
    offered = [name for name in outputs if name in kind.model_fields]
    if wanted is None:
        return [name for name in offered if default is None or name in default]
    if not set(wanted) <= set(offered):
        raise InvalidInput(f"outputs may be {', '.join(offered)}")
    return list(wanted)


def only(arrays: Arrays, names: Sequence[str]) -> dict[str, Any]:
    return {name: arrays[name] for name in names}


def pack(model: ServedModel, draw: Draw, kind: type[AnyResponse], fields: dict[str, Any]) -> Response:
    """The answer as JSON, and in its headers who gave it."""
    started = time.perf_counter()
    manifest = model.manifest
    answer = kind(
        model=manifest.name,
        version=manifest.version,
        digest=model.digest,
        seed=draw.seed,
        index=draw.index,
        **fields,
        **_reasons(fields),
    )
    headers = {
        "Reparam-Model": f"{manifest.name}/{manifest.version}",
        "Reparam-Digest": model.digest,
        "Reparam-Seed": str(draw.seed),
    }
    response = Response(encoding.dump(answer), media_type="application/json", headers=headers)
    trace.current().encode = time.perf_counter() - started
    return response


def _reasons(fields: dict[str, Any]) -> dict[str, list[str | None]]:
    """For each row why it holds nulls, if any does."""
    tensors = [value for value in fields.values() if isinstance(value, np.ndarray)]
    if all(np.isfinite(tensor).all() for tensor in tensors):
        return {}
    finite = np.all([np.isfinite(tensor).reshape(len(tensor), -1).all(axis=1) for tensor in tensors], axis=0)
    return {"reasons": [None if row else _NOT_FINITE for row in finite]}


def score_rows(model: ServedModel, scores: Scores) -> Iterator[responses.ScoreRow]:
    """A row each, numbers that are not finite as null."""
    bound, error = (_nullable(values) for values in scores.importance_weighted_bound)
    elbo, elbo_error = (_nullable(values) for values in scores.elbo)
    size = _nullable(scores.effective_sample_size)
    percentile = [None] * len(bound) if scores.percentile is None else _nullable(scores.percentile)
    terms = {name: _nullable(values) for name, values in scores.terms.items()}
    nats_of_a_bit_a_dimension = np.log(2) * np.prod(model.manifest.shapes["x"])
    for i, value in enumerate(bound):
        is_discrete = model.manifest.x.support != "real"
        yield responses.ScoreRow(
            elbo=elbo[i],
            elbo_std_error=elbo_error[i],
            importance_weighted_bound=value,
            importance_weighted_bound_std_error=error[i],
            effective_sample_size=size[i],
            reliable=bool(scores.reliable[i]),
            bits_per_dim=-value / nats_of_a_bit_a_dimension if value is not None and is_discrete else None,
            percentile=percentile[i],
            terms={name: values[i] for name, values in terms.items()},
            reason=_NOT_FINITE if value is None or elbo[i] is None else None,
        )


def _nullable(values: NDArray[np.float64]) -> list[float | None]:
    return [value if np.isfinite(value) else None for value in values.tolist()]
