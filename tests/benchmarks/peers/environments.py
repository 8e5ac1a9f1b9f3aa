"""A virtual environment for each peer, made once, from the pins that stand beside the peer."""

import subprocess
import sys
from pathlib import Path

from tests.live_server import ROOT

ENVIRONMENTS = ROOT / "build" / "peers"
PATIENCE_SECONDS = 900


class NotInstalled(Exception):
    """What pip said."""


def python(pins: Path) -> Path:
    """The interpreter of the environment with these pins. NotInstalled if they cannot be had here."""
    folder = ENVIRONMENTS / pins.stem
    interpreter, installed = folder / "bin" / "python", folder / pins.name
    if not installed.exists() or installed.read_text() != pins.read_text():
        print(f"  installing {pins.name} into {folder.relative_to(ROOT)}", flush=True)
        _run(sys.executable, "-m", "venv", "--clear", str(folder))
        _run(str(interpreter), "-m", "pip", "install", "--quiet", "--requirement", str(pins))
        installed.write_text(pins.read_text())
    return interpreter


def _run(*command: str) -> None:
    try:
        subprocess.run(command, capture_output=True, text=True, check=True, timeout=PATIENCE_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise NotInstalled(f"not installed within {PATIENCE_SECONDS} s") from error
    except subprocess.CalledProcessError as error:
        complaints = [line for line in error.stderr.splitlines() if line.startswith("ERROR")]
        raise NotInstalled((complaints or error.stderr.splitlines() or ["pip failed"])[-1]) from error
