"""Lines of JSON, one a row."""

import json

import numpy as np
from pydantic import BaseModel

from service.encoding import lines


def parsed(content):
    assert content.endswith(b"\n")
    return [json.loads(line, parse_constant=None) for line in content.splitlines()]


def test_tensors_are_taken_apart_and_all_else_stands_on_every_line():
    written = lines.write({"x": np.float32([[1, 2], [3, 4]]), "realness": np.float32([5, 6]), "kind": "exact"}, 7)
    assert parsed(written) == [
        {"index": 7, "kind": "exact", "x": [1, 2], "realness": 5},
        {"index": 8, "kind": "exact", "x": [3, 4], "realness": 6},
    ]


def test_rows_that_are_models_are_lines_of_their_fields():
    class Row(BaseModel):
        elbo: float

    assert parsed(lines.write({"unit": "nats", "rows": [Row(elbo=-1), Row(elbo=-2)]}, 0)) == [
        {"index": 0, "unit": "nats", "elbo": -1},
        {"index": 1, "unit": "nats", "elbo": -2},
    ]


def test_what_is_not_finite_is_null_with_its_reason_on_that_line_alone():
    fields = {"x": np.float32([[1], [np.nan]]), "y": np.float32([1, np.inf]), "reasons": [None, "overflow"]}
    assert parsed(lines.write(fields, 0)) == [
        {"index": 0, "x": [1], "y": 1},
        {"index": 1, "x": [None], "y": None, "reason": "overflow"},
    ]
