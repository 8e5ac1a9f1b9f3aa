"""One statement of the mathematics beside what was measured of it."""

from typing import Literal, NamedTuple

ERRORS = 4.0
"""How many standard errors a measurement may lie off: by chance one in 16,000 does."""


class Claim(NamedTuple):
    """A row of the table: `measured` stands in `relation` to `expected`, up to rounding and ERRORS standard errors.

    `std_error` is that of the measured value, or of its difference from the expected one where that is measured too;
    0 for what has no randomness. `tolerance` is absolute: rounding, or the slack that the statement itself names.
    """

    statement: str
    expected: float
    measured: float
    std_error: float = 0.0
    relation: Literal["=", "<", ">"] = "="
    tolerance: float = 0.0

    @property
    def holds(self) -> bool:
        """False also where anything is not a number."""
        slack = ERRORS * self.std_error + self.tolerance
        over, under = self.measured - self.expected, self.expected - self.measured
        return {"=": abs(over) <= slack, "<": over <= slack, ">": under <= slack}[self.relation]


class Experiment(NamedTuple):
    """What one file of this folder computes: its claims, and what a page tells and shows of them.

    `told` are two or three sentences; `figures` are SVG elements of training/report/plots.py.
    """

    title: str
    told: str
    claims: tuple[Claim, ...]
    figures: tuple[str, ...]
