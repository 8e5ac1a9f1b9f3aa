"""G18: as it comes, without a flag, it is reached by nobody else, changes nothing, and needs no rights."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil

from tests.live_server import PATIENCE_SECONDS, ROOT
from tests.soak.table import Row

NOBODY = 65534
MODELS = ("vae-digits", "ae-digits")
TREES = ("models", "service")


class Installed(NamedTuple):
    """Addresses that it listens on, statuses of admin calls, whether anything on disk is another, and its user."""

    addresses: set[str]
    admin: list[int]
    sampled: int
    changed: bool
    user: int


def run() -> Row:
    found = install()
    return Row(
        "as it comes: listens on loopback only, admin off, repository and tree never written, no rights needed",
        f"listens on {', '.join(sorted(found.addresses))}; load and unload {found.admin}; tree read-only, "
        f"{'changed' if found.changed else 'unchanged'}; user {found.user}; sample {found.sampled}",
        holds(found),
    )


def holds(found: Installed) -> bool:
    return (
        found.addresses == {"127.0.0.1"}
        and set(found.admin) == {403}
        and found.sampled == 200
        and not found.changed
        and (found.user != 0 or (os.getuid() == 0 and not _may_change_user()))
    )


def install() -> Installed:
    """A copy of what is installed, which nobody may write, served without a setting but the port."""
    with tempfile.TemporaryDirectory() as folder, _served(_copy(Path(folder))) as (process, url):
        before = _digest(Path(folder))
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, verify=False) as client:
            _wait(client)
            sampled = client.post("/v2/models/vae-digits/sample", json={"seed": 1}).status_code
            paths = [f"/v2/repository/models/vae-digits/{verb}" for verb in ("load", "unload")]
            admin = [client.post(path).status_code for path in paths]
        listening = [one for one in psutil.Process(process.pid).net_connections() if one.status == psutil.CONN_LISTEN]
        user = psutil.Process(process.pid).uids().effective
        return Installed({one.laddr.ip for one in listening}, admin, sampled, _digest(Path(folder)) != before, user)


def _copy(root: Path) -> Path:
    """The packages with two of the models, all of it read-only."""
    for tree in TREES:
        ignored = shutil.ignore_patterns("__pycache__", "bundles")
        shutil.copytree(ROOT / tree, root / tree, ignore=ignored)
    for name in MODELS:
        shutil.copytree(ROOT / "models" / "bundles" / name, root / "models" / "bundles" / name)
    for path in (root, *root.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    return root


@contextmanager
def _served(root: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """By a user without rights, if this one may choose."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("REPARAM_")}
    command = [sys.executable, "-m", "service", "--port", "0"]
    with subprocess.Popen(
        command,
        cwd=root,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        user=NOBODY if _may_change_user() else None,
        extra_groups=[] if _may_change_user() else None,
    ) as process:
        assert process.stderr
        try:
            line = next(line for line in process.stderr if "running on" in line)
            yield process, line.partition("running on ")[2].split()[0]
        finally:
            process.terminate()
            process.communicate()
            for path in (root, *root.rglob("*")):
                path.chmod(0o755)


def _may_change_user() -> bool:
    """Root, whose Python others may run."""
    if os.getuid():
        return False
    try:
        subprocess.run([sys.executable, "-c", ""], user=NOBODY, extra_groups=[], check=True, capture_output=True)
    except (OSError, subprocess.SubprocessError):
        return False
    return True


def _wait(client: httpx.Client) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while not client.get("/readyz").is_success:
        if time.monotonic() > until:
            raise TimeoutError("the copy is not ready")
        time.sleep(0.05)


def _digest(root: Path) -> str:
    """Of every path, its size and when it was written."""
    states = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in sorted(root.rglob("*"))]
    return hashlib.sha256(repr(states).encode()).hexdigest()
