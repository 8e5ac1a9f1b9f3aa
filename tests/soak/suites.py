"""The goals that are shown by tests alone, at their long tier: how many passed, how many failed."""

import os
import subprocess
import sys
from typing import NamedTuple

from tests.live_server import ROOT
from tests.soak.table import Row
from tests.soak.tier import tier

_INTEGRATION, _SERVICE = "tests/integration", "tests/service"


class Suite(NamedTuple):
    goal: str
    tests: str
    variable: str = ""
    value: str = ""


SUITES = {
    "G1": Suite(
        "malformed bodies on every route: 0 × 5xx, 0 restarts, memory flat",
        f"{_INTEGRATION}/test_mutants.py",
        "REPARAM_MUTANTS",
        tier("5000", "50000"),
    ),
    "G2": Suite(
        "any 4xx: ≤ 4 KiB, nothing of the input in it", f"{_SERVICE}/test_errors.py {_SERVICE}/test_refusals.py"
    ),
    "G9": Suite(
        "every byte of a bundle flipped once is refused",
        "tests/models/test_repository.py",
        "REPARAM_EVERY_MASK",
        tier("", "1"),
    ),
    "G15": Suite("made-up paths, methods, names: no series more", f"{_SERVICE}/test_metrics.py"),
    "G16": Suite(
        "0 opens outside, 0 connects, 0 pickles, 0 processes under an audit hook", f"{_INTEGRATION}/test_audit.py"
    ),
    "G17": Suite("bombs are refused, the version before them serves", f"{_INTEGRATION}/test_bombs.py"),
    "G19": Suite(
        "schemathesis on the OpenAPI page: 0 failures",
        f"{_INTEGRATION}/test_schemathesis.py",
        "REPARAM_SCHEMATHESIS",
        tier("20", "200"),
    ),
    "G22": Suite(
        "a full disk, a repository that goes away, few files: it serves on and says why",
        f"{_INTEGRATION}/test_faults.py tests/training/test_killed.py",
    ),
}


def run(number: str) -> Row:
    suite = SUITES[number]
    setting = {suite.variable: suite.value} if suite.value else {}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *suite.tests.split()]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **setting}, capture_output=True, text=True)
    shown = " ".join([*(f"{name}={value}" for name, value in setting.items()), f".venv/bin/pytest {suite.tests}"])
    summary = done.stdout.strip().rpartition("\n")[2].strip("= ") or "did not run"
    return Row(suite.goal, summary, done.returncode == 0, shown)
