"""The tables of docs/benchmarks.md and of the README, from what a contest measured."""

import os
import platform
import statistics
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from tests.benchmarks.peers.cells import CELLS, Cell
from tests.benchmarks.peers.contest import ROUNDS, SECONDS, Contest, Rate
from tests.benchmarks.peers.contestants import CONTESTANTS, OURS, PEERS
from tests.live_server import ROOT
from tests.pages import README
from tests.readme_table import between, markdown

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- peers: written by `python -m tests.benchmarks peers` -->", "<!-- end of peers -->"
_MEASURED = ("httptools", "numpy", "onnxruntime-gpu", "orjson", "torch", "uvicorn", "uvloop")


def write(contest: Contest) -> None:
    README.write_text(between(README.read_text(), BEGIN, END, f"{compact(contest)}\n\n{_where()}"))
    PAGE.write_text(between(PAGE.read_text(), BEGIN, END, "\n\n".join(_page(contest))))


def compact(contest: Contest) -> str:
    """Requests a second: a row a cell, a column for each who was there."""
    there = [contestant.name for contestant in CONTESTANTS if contestant.name not in contest.missing]
    return markdown(("requests a second", *there), (_compact_row(contest, cell, there) for cell in CELLS))


def _compact_row(contest: Contest, cell: Cell, there: list[str]) -> tuple[str, ...]:
    rates = {name: contest.rate(name, cell) for name in there}
    return (cell.title, *(_number(rate.requests) if rate else "-" for rate in rates.values()))


def _page(contest: Contest) -> Iterator[str]:
    yield _where()
    yield f"Medians of {ROUNDS} rounds, {SECONDS} s each. {_versions()}"
    if contest.missing:
        head = ("not there, or not to the end", "why")
        yield markdown(head, ((name, f"`{why.replace('|', '/')}`") for name, why in contest.missing.items()))
    yield "### Start, and memory"
    yield markdown(("", "first sample after, s", "resident, MiB"), _starts(contest))
    for cell in CELLS:
        yield f"### {cell.title}"
        head = ("", "requests/s", "rows/s", "p50, ms", "p99, ms", "CPU ms a request", "Reparam is")
        yield markdown(head, _rates(contest, cell))
    yield "### Without a server"
    yield markdown(("", "bounds", "rows/s", "Reparam is"), _limits(contest))


def _where() -> str:
    cores = os.cpu_count()
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()} with {cores} cores, which wrk shares, {platform.system()}."
    )


def _versions() -> str:
    pins = {line for peer in PEERS if peer.pins for line in peer.pins.read_text().split()}
    ours = [f"{name} {version(name)}" for name in _MEASURED]
    return (
        f"Reparam on Python {platform.python_version()} with {', '.join(ours)}; "
        f"the peers with {', '.join(sorted(pin.replace('==', ' ') for pin in pins))}."
    )


def _starts(contest: Contest) -> Iterator[tuple[str, ...]]:
    for contestant in CONTESTANTS:
        if cold := contest.cold[contestant.name]:
            resident = statistics.median(contest.resident[contestant.name])
            yield (contestant.name, f"{statistics.median(cold):.2f}", f"{resident:.0f}")


def _rates(contest: Contest, cell: Cell) -> Iterator[tuple[str, ...]]:
    for contestant in CONTESTANTS:
        if rate := contest.rate(contestant.name, cell):
            yield (contestant.name, *_columns(rate, cell), _times(contest.ratio(contestant.name, cell)))


def _columns(rate: Rate, cell: Cell) -> tuple[str, ...]:
    waits = (f"{value:.2f}" for value in (rate.p50, rate.p99, rate.computed))
    return (_number(rate.requests), _number(rate.requests * cell.rows), *waits)


def _limits(contest: Contest) -> Iterator[tuple[str, ...]]:
    for (name, cell), values in contest.limits.items():
        rate, ours = statistics.median(values), contest.rate(OURS.name, cell)
        yield (name, cell.title, _number(rate), _times(ours.requests * cell.rows / rate) if ours else "-")


def _times(ratio: float | None) -> str:
    return f"{ratio:.2f}×" if ratio else "-"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
