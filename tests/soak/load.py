"""A good client beside the trouble: it asks from a process of its own, at a share of what the service can do."""

import asyncio
import json
import random
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

from tests.benchmarks.connection import Connection, post
from tests.live_server import ROOT, Server

SAMPLE = post("/v2/models/tiny/sample", {"seed": 1})
CONNECTIONS = 8
PATIENCE_SECONDS = 20.0
CALIBRATION_SECONDS = 1.0


class Outcome(NamedTuple):
    """`failed` by status or by what broke; `bodies` are those that differ, by the model and version that answered."""

    answered: int
    failed: dict[str, int]
    p50: float  # milliseconds
    p99: float
    bodies: dict[str, list[str]]


class Load:
    """`before` is what it met before the trouble; `outcome`, once it has ended, is what it met from then on."""

    def __init__(self, before: Outcome) -> None:
        self.before = before
        self.outcome = before


@contextmanager
def good_load(server: Server, request: bytes = SAMPLE, share: float = 0.5) -> Iterator[Load]:
    """Runs within the context, at that share of the pace at which the service answers as many connections."""
    command = [sys.executable, "-m", "tests.soak.load", server.address, str(share), request.hex()]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        load = Load(Outcome(*json.loads(process.stdout.readline())))
        try:
            yield load
        finally:
            told, _ = process.communicate()
            load.outcome = Outcome(*json.loads(told))


class _Client:
    """Asks the same over several connections."""

    def __init__(self, address: str, request: bytes) -> None:
        self._address = address
        self._request = request
        self._times: list[float] = []
        self._failed: Counter[str] = Counter()
        self._bodies: defaultdict[str, set[str]] = defaultdict(set)

    async def ask(self, ending: asyncio.Event, pause: float = 0.0) -> Outcome:
        """Until the event is set, each connection after a random pause of that mean."""
        await asyncio.gather(*(self._connection(ending, pause) for _ in range(CONNECTIONS)))
        cuts = statistics.quantiles([1e3 * seconds for seconds in self._times] or [0.0] * 2, n=100, method="inclusive")
        bodies = {model: sorted(found) for model, found in self._bodies.items()}
        outcome = Outcome(len(self._times), dict(self._failed), cuts[49], cuts[98], bodies)
        self._times, self._failed, self._bodies = [], Counter(), defaultdict(set)
        return outcome

    async def _connection(self, ending: asyncio.Event, pause: float) -> None:
        connection = None
        while not ending.is_set():
            if pause:
                await asyncio.sleep(random.expovariate(1 / pause))
            began = time.perf_counter()
            try:
                async with asyncio.timeout(PATIENCE_SECONDS):
                    connection = connection or await Connection.open(self._address)
                    answer = await connection.ask(self._request)
            except (OSError, EOFError, TimeoutError) as error:
                self._failed[type(error).__name__] += 1
                connection = connection and connection.close()
                continue
            if answer.status == 200:
                self._times.append(time.perf_counter() - began)
                self._bodies[answer.header("reparam-model")].add(answer.body.decode())
            else:
                self._failed[str(answer.status)] += 1
            if "close" in answer.header("connection"):
                connection = connection.close()
        if connection:
            connection.close()


async def _main(address: str, share: str, request: str) -> None:
    client = _Client(address, bytes.fromhex(request))
    most = await client.ask(_after(CALIBRATION_SECONDS))
    rate = max(1, most.answered) / CALIBRATION_SECONDS
    pause = (CONNECTIONS / float(share) - 2) / rate  # an answer takes about 2 / rate where none waits for another
    print(json.dumps(await client.ask(_after(CALIBRATION_SECONDS), pause)), flush=True)
    print(json.dumps(await client.ask(_when_told(), pause)), flush=True)


def _after(seconds: float) -> asyncio.Event:
    ending = asyncio.Event()
    asyncio.get_running_loop().call_later(seconds, ending.set)
    return ending


def _when_told() -> asyncio.Event:
    """When standard input ends."""
    ending = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, ending.set)
    return ending


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_main(*sys.argv[1:]))
