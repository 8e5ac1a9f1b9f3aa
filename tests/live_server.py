"""A real server in a process of its own, for as long as a test or a benchmark needs it."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
        self.wait_for(lambda client: client.get("/readyz"))

    def wait_for(self, ask: Callable[[httpx.Client], httpx.Response]) -> float:
        """Ask until the answer is a success; when it was, by time.perf_counter. TimeoutError after a minute."""
        until = time.perf_counter() + _PATIENCE_SECONDS
        with httpx.Client(base_url=self.url) as client:
            while time.perf_counter() < until:
                with suppress(httpx.TransportError):
                    if ask(client).is_success:
                        return time.perf_counter()
                time.sleep(0.01)
        raise TimeoutError(f"{self.url} did not answer as it should")


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
