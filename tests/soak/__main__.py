"""make soak: the goals of reliability as a table; ROWS="G5 G10" measures some, SOAK=long takes as long as they say."""

import sys
from importlib import import_module

from tests.soak import suites
from tests.soak.table import HEAD, Row, line

MEASURED = {
    "G3": "health",
    "G4": "overload",
    "G5": "disconnects",
    "G6": "deadlines",
    "G7": "kills",
    "G8": "swaps",
    "G10": "termination",
    "G11": "slow_clients",
    "G12": "slow_readers",
    "G13": "memory",
    "G14": "isolation",
    "G18": "install",
    "G20": "fuzzing",
    "G21": "fairness",
}


def main() -> int:
    """1 if a goal does not hold."""
    chosen = sys.argv[1:] or [f"G{number}" for number in range(1, 23)]
    print(HEAD, flush=True)
    rows = [_show(number) for number in chosen]
    return int(any(row.holds is False for row in rows))


def _show(number: str) -> Row:
    row = _row(number)
    print(line(number, row), flush=True)
    return row


def _row(number: str) -> Row:
    if number in suites.SUITES:
        return suites.run(number)
    row: Row = import_module(f"tests.soak.{MEASURED[number]}").run()
    return row


if __name__ == "__main__":
    sys.exit(main())
