"""What a verb was asked: which rows of which model, and how to have some of them."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from models.manifest import OperationName
from service.draw import Draw
from service.errors import InvalidInput
from service.schemas import responses
from service.served_model import Floats, ServedModel

Fields = dict[str, Any]

_NOT_FINITE = "the model's arithmetic overflowed on this row"


class Question(NamedTuple):
    """`ask` gives the fields of some of the rows; they do not depend on which others are asked for with them. Of the
    model's outputs it gives those that it is told, or all.

    `operation` and its `data` are what the first run of the model will take; `wanted` is what the caller named as
    outputs, `names` are the outputs to answer, and `step` says how many rows make a part, if not those of that run.
    """

    model: ServedModel
    kind: type[responses.Response]
    draw: Draw
    operation: OperationName
    data: Mapping[str, Floats]
    rows: int
    ask: Callable[[slice, Sequence[str] | None], Awaitable[Mapping[str, Any]]]
    names: Sequence[str] = ()
    wanted: Sequence[str] | None = None
    step: int | None = None

    async def check(self) -> None:
        """Refuse now, for all rows, what would else be refused when its part is run."""
        await self.model.check(self.operation, self.rows, self.data, self.draw)

    def parts(self) -> Iterator[slice]:
        step = self.step or self.model.rows_of_a_run(self.operation)
        return (slice(start, min(start + step, self.rows)) for start in range(0, self.rows, step))

    async def answer(self, rows: slice) -> Fields:
        """The fields of some rows: of the tensors those that are answered, and why a row holds nulls if one does."""
        found = await self.ask(rows, self.names)
        tensors = {name: found[name] for name in self.names}
        others = {name: value for name, value in found.items() if not isinstance(value, np.ndarray)}
        return {**tensors, **others, **_reasons(tensors)}


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


def _reasons(tensors: Fields) -> dict[str, list[str | None]]:
    """For each row why it holds nulls, if any does."""
    if all(np.isfinite(tensor).all() for tensor in tensors.values()):
        return {}
    finite = np.all([np.isfinite(tensor).reshape(len(tensor), -1).all(axis=1) for tensor in tensors.values()], axis=0)
    return {"reasons": [None if row else _NOT_FINITE for row in finite]}
