"""Who comes first where cores are few: whatever needs the interpreter, then runs, then bundles to be tried."""

import os
import sys
from contextlib import suppress

RUNS, LOADING = 5, 10


def step_back(niceness: int) -> None:
    """The calling thread, by so much; not at all where that would be the whole process."""
    if sys.platform == "linux":
        with suppress(OSError):  # where it is forbidden, all are equal
            os.nice(niceness)
