"""The runs of a benchmark as rows of text, for terminals and for pages."""

from collections.abc import Sequence
from typing import Any

COLUMNS = ("load", "answered", "refused", "failed", "requests/s", "rows/s", "p50", "p90", "p99", "p99.9", "max")
_PLAIN = COLUMNS[:4]
_LATENCIES = COLUMNS[6:]


def cells(run: dict[str, Any]) -> list[str]:
    """One a column; latencies in milliseconds."""
    latency = run["latency_ms"] or {}
    rates = (run["requests_per_second"], run["rows_per_second"])
    times = [f"{latency[name]:.2f}" if name in latency else "-" for name in _LATENCIES]
    return [*(str(run[name]) for name in _PLAIN), *(f"{rate:.1f}" for rate in rates), *times]


def table(runs: Sequence[dict[str, Any]]) -> str:
    """Columns are as wide as what is in them; numbers stand to the right."""
    rows = [list(COLUMNS), *(cells(run) for run in runs)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(COLUMNS))]
    return "\n".join(
        "  ".join(cell.rjust(width) if column else cell.ljust(width) for column, (cell, width) in enumerate(line))
        for line in (list(zip(row, widths, strict=True)) for row in rows)
    )


def remarks(run: dict[str, Any]) -> list[str]:
    """What the numbers of the row leave out: sentences, none where all is well."""
    said = []
    after = run["retry_after_seconds"]
    if run["refused"]:
        when = f", to come again after {after['least']:g} to {after['most']:g} s" if after else ""
        said.append(f"{run['refused']} refused{when}")
    ended = {status: count for status, count in run["statuses"].items() if status[0] != "2"} | run["failures"]
    if ended:
        said.append(", ".join(f"{count} x {name}" for name, count in ended.items()))
    if run["lag_ms"] and run["lag_ms"]["p99"] > 5:
        said.append(
            f"requests went out up to {run['lag_ms']['p99']:.1f} ms late (p99), for want of processor or connections;"
            " the latencies have that in them"
        )
    return [f"{run['load']}: {sentence}" for sentence in said]
