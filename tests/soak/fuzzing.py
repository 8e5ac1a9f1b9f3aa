"""G20: what reads bytes of strangers, fuzzed by coverage, and a reader with a planted fault that must be found."""

import re
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from tests.live_server import ROOT
from tests.soak.table import Row
from tests.soak.tier import tier

_GOAL = "the readers of npy, PNG, manifests and JSON fuzzed by coverage: 0 uncaught; a planted fault is found"
_READERS = ("npy", "png", "manifest", "json")
_KEPT = ROOT / "build" / "fuzz"  # what was learned of them, and what failed
_SECONDS = tier(60, 600)  # for each
_END = re.compile(r"DONE +cov: (\d+).*Done (\d+) runs", re.DOTALL)
_WORDS = 12  # of what a reader that failed said last


def run() -> Row:
    if find_spec("atheris") is None:
        return Row(_GOAL, "atheris is not installed: the extra soak has it, for Linux on x86-64", None)
    ended = {name: _fuzzed(name, _KEPT / name) for name in _READERS}
    with tempfile.TemporaryDirectory() as folder:
        found = "ZeroDivisionError: planted" in _fuzzed("planted", Path(folder) / "planted").stdout
    told = ", ".join(f"{name} {_told(end)}" for name, end in ended.items())
    return Row(
        _GOAL,
        f"{told}; the planted fault was {'' if found else '**not** '}found",
        found and all(end.returncode == 0 and _END.search(end.stdout) for end in ended.values()),
    )


def _fuzzed(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.fuzz", name, str(_SECONDS), str(folder)]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _told(end: subprocess.CompletedProcess[str]) -> str:
    if done := _END.search(end.stdout):
        return f"0 of {int(done[2]):,} ({done[1]} places reached)"
    return f"**failed**: {' '.join(end.stdout.split()[-_WORDS:])}"
