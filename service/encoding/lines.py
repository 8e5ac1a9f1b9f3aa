"""Lines of JSON, one a row, for answers that leave while later rows are still being computed."""

from typing import Any

import numpy as np
import orjson
from pydantic import BaseModel

_OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_APPEND_NEWLINE


def write(fields: dict[str, Any], index: int) -> bytes:
    """An answer's fields as a line a row: tensors and `rows` are taken apart, all else stands on every line.

    `index` is the first row's place in the seed's stream; `reasons` becomes a row's `reason` where there is one.
    """
    tensors = {name: value for name, value in fields.items() if isinstance(value, np.ndarray)}
    rows: list[BaseModel] = fields.get("rows", [])
    reasons: list[str | None] = fields.get("reasons", [])
    for_all = {name: value for name, value in fields.items() if name not in {*tensors, "rows", "reasons"}}
    lines = []
    for i in range(len(rows) or len(next(iter(tensors.values())))):
        line = {"index": index + i, **for_all, **{name: tensor[i] for name, tensor in tensors.items()}}
        if rows:
            line |= rows[i].model_dump()
        if reasons and reasons[i]:
            line["reason"] = reasons[i]
        lines.append(orjson.dumps(line, option=_OPTIONS))
    return b"".join(lines)
