"""A real server in a process of its own, for as long as a test or a benchmark needs it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

ROOT = Path(__file__).parent.parent
_PATIENCE_SECONDS = 60


class Server(NamedTuple):
    url: str
    pid: int

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    def wait_until_ready(self) -> None:
        """Until /readyz answers 200; RuntimeError if that takes a minute."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/readyz").is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.02)
        raise RuntimeError("the server did not become ready")


@contextmanager
def live_server(**settings: object) -> Iterator[Server]:
    """`python -m service` on a free port with these settings; it is started, not waited for, and stopped at the end."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    chosen = {f"REPARAM_{name.upper()}": str(value) for name, value in {**settings, "port": port}.items()}
    process = subprocess.Popen([sys.executable, "-m", "service"], cwd=ROOT, env={**os.environ, **chosen})
    try:
        yield Server(f"http://127.0.0.1:{port}", process.pid)
    finally:
        process.terminate()
        process.wait(timeout=_PATIENCE_SECONDS)
