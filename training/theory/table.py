"""The claims as a table, in text and in Markdown, grouped by experiment."""

from collections.abc import Mapping, Sequence
from itertools import chain

from training.theory.claim import Claim, Experiment

HEAD = ("claim", "expected", "measured", "standard error", "holds")

_ROUNDING = 1e-12
_SIGNS = {"=": "", "<": "at most ", ">": "at least "}


def cells(claim: Claim) -> tuple[str, str, str, str, str]:
    """A row as text; what has no randomness but rounding has no standard error."""
    error = f"{claim.std_error:.2g}" if claim.std_error > _ROUNDING else "-"
    expected = f"{_SIGNS[claim.relation]}{_number(claim.expected)}"
    return claim.statement, expected, _number(claim.measured), error, "yes" if claim.holds else "NO"


def plain(measured: Mapping[str, Experiment]) -> str:
    """Columns of equal width in all groups, each group below its experiment's name and title."""
    rows = {name: [cells(claim) for claim in experiment.claims] for name, experiment in measured.items()}
    widths = [max(map(len, column)) for column in zip(HEAD, *chain.from_iterable(rows.values()), strict=True)]
    lines = [_line(HEAD, widths)]
    for name, experiment in measured.items():
        lines += ["", f"{name}: {experiment.title}", *(_line(row, widths) for row in rows[name])]
    return "\n".join(lines)


def markdown(measured: Mapping[str, Experiment]) -> str:
    """A heading and a table for each experiment."""
    parts = []
    for name, experiment in measured.items():
        rows = [HEAD, ("---", *4 * ["---:"]), *(cells(claim) for claim in experiment.claims)]
        table = "\n".join(f"| {' | '.join(map(_escaped, row))} |" for row in rows)
        parts.append(f"### {experiment.title}\n\n`reparam-theory {name}`\n\n{table}")
    return "\n\n".join(parts)


def _number(value: float) -> str:
    """Five digits; a minus before a zero says nothing."""
    return f"{value + 0.0:.5g}"


def _escaped(cell: str) -> str:
    return cell.replace("|", r"\|")


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    first, *others = (
        cell.ljust(width) if not number else cell.rjust(width)
        for number, (cell, width) in enumerate(zip(row, widths, strict=True))
    )
    return "  ".join([first, *others]).rstrip()
