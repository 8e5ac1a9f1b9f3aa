"""The table of the goals: a row each."""

from typing import NamedTuple

_HOLDS = {True: "yes", False: "**no**", None: "waits"}


class Row(NamedTuple):
    """`holds` is None where nothing was measured."""

    goal: str
    measured: str
    holds: bool | None
    command: str = ""


HEAD = "|  | goal | measured | command | holds |\n|---|---|---|---|---|"


def line(number: str, row: Row) -> str:
    """Of a Markdown table; the command that measures a row is `make soak` unless it names its own."""
    command = row.command or f"make soak ROWS={number}"
    return f"| {number} | {row.goal} | {row.measured} | `{command}` | {_HOLDS[row.holds]} |"
