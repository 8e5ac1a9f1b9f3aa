"""Who comes first where cores are few: whatever needs the interpreter, then runs, then bundles to be tried."""

import os
import sys

RUNS, LOADING = 5, 10


def step_back(niceness: int) -> None:
    """The calling thread, by so much; not at all where that would be the whole process."""
    if sys.platform == "linux":
        os.nice(niceness)
