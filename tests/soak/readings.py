"""What a running service tells of itself, and the machine of it."""

from contextlib import closing
from http.client import HTTPConnection
from typing import NamedTuple

import psutil

from tests.live_server import PATIENCE_SECONDS, Server

MEBIBYTE = 2**20


class Reading(NamedTuple):
    """Of a process and its children."""

    resident: float  # MiB
    files: int
    threads: int


def read(server: Server) -> Reading:
    parent = psutil.Process(server.pid)
    processes = [parent, *parent.children(recursive=True)]
    return Reading(
        sum(process.memory_info().rss for process in processes) / MEBIBYTE,
        sum(process.num_fds() for process in processes),
        sum(process.num_threads() for process in processes),
    )


def resident(server: Server) -> float:
    """MiB of the process that serves alone."""
    return float(psutil.Process(server.pid).memory_info().rss) / MEBIBYTE


def wait_for_loader(server: Server) -> None:
    """Until the process that tries new bundles has ended, as it does when there are no more."""
    psutil.wait_procs(psutil.Process(server.pid).children(), timeout=PATIENCE_SECONDS)


def series(server: Server) -> dict[str, float]:
    """The samples of /metrics: their values by name and labels."""
    with closing(HTTPConnection(server.address, timeout=60)) as connection:
        connection.request("GET", "/metrics")
        lines = connection.getresponse().read().decode().splitlines()
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in lines if line[0] != "#")}


def total(samples: dict[str, float], name: str, label: str = "") -> float:
    """Over all series of that name that have the label."""
    return sum(value for key, value in samples.items() if key.partition("{")[0] == name and label in key)
