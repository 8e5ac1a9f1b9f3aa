"""A contestant's server for as long as it is measured, with all the processes that it starts."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

import psutil

from models.repository import SHIPPED, Repository
from tests.benchmarks.peers.contestants import Contestant
from tests.benchmarks.peers.dialects import Ask

PATIENCE_SECONDS = 60
MEBIBYTE = 2**20


class NotStarted(Exception):
    """What the server said last."""


class Running(NamedTuple):
    """`cold` is how many seconds it took from the command to the first answer."""

    address: str
    cold: float
    process: psutil.Process

    def ask(self, ask: Ask) -> bytes:
        """The body of the answer; OSError unless it is a success."""
        request = Request(f"http://{self.address}{ask.path}", ask.body, ask.headers)
        with urlopen(request, timeout=PATIENCE_SECONDS) as answer:
            body: bytes = answer.read()
            return body

    @property
    def tree(self) -> list[psutil.Process]:
        return [self.process, *self.process.children(recursive=True)]

    @property
    def resident(self) -> float:
        """Mebibytes of all its processes; pages that several of them share count in each."""
        return sum(process.memory_info().rss for process in self.tree) / MEBIBYTE

    @property
    def computed(self) -> float:
        """Seconds of the processor that all its processes took so far."""
        return sum(sum(process.cpu_times()[:2]) for process in self.tree)


@contextmanager
def running(contestant: Contestant, bundle: str, first: Ask) -> Iterator[Running]:
    """Serves that bundle alone, and has answered `first`. NotInstalled, or NotStarted if it did not within a minute."""
    with tempfile.TemporaryDirectory() as repository, tempfile.TemporaryFile() as log:
        shutil.copytree(SHIPPED / bundle, Path(repository) / bundle)
        newest = Path(repository) / bundle / str(Repository(SHIPPED).versions(bundle)[-1])
        variables = {"BUNDLE": str(newest), "REPARAM_REPOSITORY": repository, **contestant.needs}
        port = _free_port()
        words = contestant.words(port)
        began = time.perf_counter()
        process = subprocess.Popen(
            words,
            cwd=contestant.folder,
            env={**os.environ, **variables},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            address = f"127.0.0.1:{port}"
            server = Running(address, 0.0, psutil.Process(process.pid))
            if not _answers(server, first, process):
                said = os.pread(log.fileno(), 2**20, 0).decode(errors="replace").split("\n")
                raise NotStarted(next((line for line in reversed(said) if line.strip()), "it did not answer"))
            yield server._replace(cold=time.perf_counter() - began)
        finally:
            _stop(process)


def _answers(server: Running, first: Ask, process: subprocess.Popen[bytes]) -> bool:
    until = time.perf_counter() + PATIENCE_SECONDS
    while process.poll() is None and time.perf_counter() < until:
        with suppress(OSError):
            server.ask(first)
            return True
        time.sleep(0.01)
    return False


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Asked first; what of its session is left after a while is killed."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=10)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
