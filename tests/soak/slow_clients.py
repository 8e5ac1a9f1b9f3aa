"""G11: clients who say nothing, stop midway or drip are let go, and nobody else notices."""

import asyncio
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests import tiny_bundle
from tests.live_server import Server, live_server
from tests.soak.load import SAMPLE, good_load
from tests.soak.readings import read
from tests.soak.table import Row

CLIENTS = 500
MOST_SECONDS = 15.0
GIVEN_UP_SECONDS = 60.0
LINGERING_SECONDS = 2.5  # in which the server still has the socket of one that it told goodbye
_HEAD = SAMPLE.index(b"\r\n\r\n") + 4
KINDS = (b"", SAMPLE[:20], SAMPLE[: _HEAD + 5], SAMPLE[:20])  # idle, half a head, half a body, a line a second
_DRIP = b"X-A: a\r\n"


class Closed(NamedTuple):
    """How many were closed, and the longest that it took."""

    closed: int
    seconds: float


def run() -> Row:
    with tempfile.TemporaryDirectory() as folder:
        tiny_bundle.publish(Path(folder))
        with live_server(repository=folder, device="cpu", journal=False) as server:
            server.wait_until_ready()
            before = read(server).files
            with good_load(server) as load:
                found = asyncio.run(crowd(server, CLIENTS))
            time.sleep(LINGERING_SECONDS)
            files = read(server).files - before
    failed = sum(load.outcome.failed.values())
    slower = load.outcome.p99 / load.before.p99
    return Row(
        f"{CLIENTS} slow clients: all closed ≤ {MOST_SECONDS:g} s, files back to start; the good load: 0 failed, "
        "p99 ≤ 2×",
        f"{found.closed} closed after ≤ {found.seconds:.1f} s, {files:+d} files; {failed} of "
        f"{load.outcome.answered:,} failed, p99 {load.before.p99:.1f} → {load.outcome.p99:.1f} ms ({slower:.1f}×)",
        found.closed == CLIENTS and found.seconds <= MOST_SECONDS and files <= 0 and not failed and slower <= 2,
    )


async def crowd(server: Server, clients: int, drip_seconds: float = 1.0) -> Closed:
    """So many of all kinds at once."""
    took = await asyncio.gather(*(_stay(server, number % len(KINDS), drip_seconds) for number in range(clients)))
    closed = [seconds for seconds in took if seconds is not None]
    return Closed(len(closed), max(closed, default=0.0))


async def _stay(server: Server, kind: int, drip_seconds: float) -> float | None:
    """Seconds until the server has closed; None if it has not."""
    host, _, port = server.address.partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    began = time.perf_counter()
    writer.write(KINDS[kind])
    dripping = asyncio.create_task(_drip(writer, drip_seconds)) if kind == len(KINDS) - 1 else None
    try:
        async with asyncio.timeout(GIVEN_UP_SECONDS):
            with suppress(ConnectionError):
                await reader.read()
        return time.perf_counter() - began
    except TimeoutError:
        return None
    finally:
        if dripping:
            dripping.cancel()
        writer.close()


async def _drip(writer: asyncio.StreamWriter, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        writer.write(_DRIP)
