"""G20: what reads bytes of strangers, fuzzed by coverage, and a reader with a planted fault that must be found."""

import re
import subprocess
import sys
from importlib.util import find_spec

from tests.live_server import ROOT
from tests.soak.table import Row
from tests.soak.tier import tier

_GOAL = "the readers of npy, PNG, manifests and JSON fuzzed by coverage: 0 uncaught; a planted fault is found"
_READERS = ("npy", "png", "manifest", "json")
_SECONDS = tier(60, 600)  # for each
_WORDS = 12  # of what a reader that failed said last


def run() -> Row:
    if find_spec("atheris") is None:
        return Row(_GOAL, "atheris is not made for this machine", None)
    ended = {name: _fuzzed(name) for name in (*_READERS, "planted")}
    found = ended.pop("planted")
    told = ", ".join(f"{name} {_told(end)}" for name, end in ended.items())
    is_found = found.returncode != 0 and "ZeroDivisionError: planted" in found.stderr + found.stdout
    holds = is_found and not any(end.returncode for end in ended.values())
    return Row(_GOAL, f"{told}; the planted fault was {'' if is_found else '**not** '}found", holds)


def _fuzzed(name: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", name, str(_SECONDS)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def _told(end: subprocess.CompletedProcess[str]) -> str:
    if runs := re.search(r"Done (\d+) runs", end.stderr):
        return f"0 of {int(runs[1]):,}"
    return f"**failed**: {' '.join(end.stderr.split()[-_WORDS:])}"
