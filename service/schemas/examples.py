"""A request of each verb, with its answer; `python -m tests.examples ADDRESS` writes the answers."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter

FILE = Path(__file__).with_suffix(".json")


class Example(BaseModel):
    """Asked of `model`; `lines` are the answer as application/x-ndjson, empty where there is none."""

    model: str
    request: dict[str, Any]
    answer: dict[str, Any]
    lines: str = ""

    def of(self, value: object) -> dict[str, Any]:
        """An entry of OpenAPI's `examples`."""
        return {self.model: {"summary": f"of {self.model}", "value": value}}


EXAMPLES = TypeAdapter(dict[str, Example]).validate_json(FILE.read_bytes())
