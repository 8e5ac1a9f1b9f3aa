"""A real server in a process of its own, for as long as a test or a benchmark needs it."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

import httpx

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 240  # with a machine that has other work, too

_LISTENING = re.compile(r"running on (http://127\.0\.0\.1:[0-9]+)")


class Server(NamedTuple):
    """A server that listens; whether its models are ready is another question."""

    url: str
    process: subprocess.Popen[bytes]
    log: IO[bytes]

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def address(self) -> str:
        return self.url.removeprefix("http://")

    @property
    def said(self) -> str:
        """On standard output and standard error, the last mebibyte of it."""
        size = os.fstat(self.log.fileno()).st_size
        return os.pread(self.log.fileno(), 2**20, max(0, size - 2**20)).decode(errors="replace")

    def client(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.url, timeout=PATIENCE_SECONDS, verify=False
        )  # reading certificates takes longer

    def wait_until_ready(self) -> None:
        self.wait_for(lambda client: client.get("/readyz"))

    def wait_for(self, ask: Callable[[httpx.Client], httpx.Response], pause: float = 0.01) -> float:
        """Ask until the answer is a success; when it was, by time.perf_counter. TimeoutError when patience ends."""
        until = time.perf_counter() + PATIENCE_SECONDS
        with self.client() as client:
            while time.perf_counter() < until:
                with suppress(httpx.TransportError):
                    if ask(client).is_success:
                        return time.perf_counter()
                time.sleep(pause)
        raise TimeoutError(f"{self.url} did not answer as it should")


@contextmanager
def live_server(*module: str, **settings: object) -> Iterator[Server]:
    """`python -m service` with these settings, or another module, on a free port; stopped at the end."""
    environment = {
        f"REPARAM_{name.upper()}": str(value) for name, value in {"port": 0, "drain_seconds": 0, **settings}.items()
    }
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *(module or ("service",))],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=log,
            stderr=log,
        )
        try:
            yield Server(_url(process, log), process, log)
        finally:
            process.terminate()
            process.wait(timeout=PATIENCE_SECONDS)


def _url(process: subprocess.Popen[bytes], log: IO[bytes]) -> str:
    """Where the server says that it listens."""
    until = time.monotonic() + PATIENCE_SECONDS
    said = ""
    while process.poll() is None and time.monotonic() < until:
        said = os.pread(log.fileno(), 2**16, 0).decode()
        if listening := _LISTENING.search(said):
            return listening[1]
        time.sleep(0.01)
    raise RuntimeError(f"the server does not listen; it said: {said}")
