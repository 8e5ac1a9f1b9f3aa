"""A folder that is to a command what a clone with its .venv is to a newcomer, and no change in it changes this tree."""

import sys
import tomllib
from pathlib import Path

HOME = "..."  # what the pages have for the folder of the clone

_ROOT = Path(__file__).parent.parent
_APART = {".venv", ".git", "models", "runs", "build"}


def checkout(folder: Path) -> Path:
    """This tree by links, with bundles beside which others can be published, and the commands that are installed."""
    bundles = folder / "models" / "bundles"
    bundles.mkdir(parents=True)
    _link((path for path in _ROOT.iterdir() if path.name not in _APART), folder)
    _link((path for path in (_ROOT / "models").iterdir() if path.name != "bundles"), bundles.parent)
    for name in (_ROOT / "models" / "bundles").iterdir():
        (bundles / name.name).mkdir()
        _link(name.iterdir(), bundles / name.name)
    _install(folder)
    return folder


def _link(paths, folder: Path) -> None:
    for path in paths:
        (folder / path.name).symlink_to(path)


def _install(folder: Path) -> None:
    """The scripts of pyproject.toml, of this tree whatever is installed."""
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    scripts = tomllib.loads((_ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    modules = {name: f" -m {entry.partition(':')[0]}" for name, entry in scripts.items()} | {"python": ""}
    for name, module in modules.items():
        program = programs / name
        program.write_text(f'#!/bin/sh\nPYTHONPATH="{folder}" exec "{sys.executable}"{module} "$@"\n')
        program.chmod(0o755)
