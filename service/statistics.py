"""How often each model was asked and where the time went, as the inference protocol counts it."""

import asyncio
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Set
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import orjson

from service.trace import Trace

_LOWEST_FAILURE = 400
_LAG = 0.1  # seconds until other processes see what one has counted


@dataclass
class Tally:
    """Of one version of one model since the service started: counts, and durations in seconds.

    All but `failing` are of requests that were answered. A run that served several requests counts for each of them.
    """

    answered: int = 0
    failed: int = 0
    rows: int = 0
    last: float = 0.0
    answering: float = 0.0
    failing: float = 0.0
    queue: float = 0.0
    draw: float = 0.0
    infer: float = 0.0
    encode: float = 0.0

    def __add__(self, other: "Tally") -> "Tally":
        total = {field.name: getattr(self, field.name) + getattr(other, field.name) for field in fields(self)}
        return Tally(**total | {"last": max(self.last, other.last)})


class Statistics:
    """Written at the end of each request, on the event loop; processes that share a folder count together there."""

    def __init__(self, folder: str | None = None) -> None:
        self._tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)
        self._file = Path(folder, f"tallies-{os.getpid()}.json") if folder else None
        self._is_to_be_shared = False

    def of(self, model: str, version: str) -> Tally:
        return sum(self._others(model, version), start=self._tallies[model, version])

    def keep(self, versions: Set[tuple[str, str]]) -> None:
        """Forget those of other versions."""
        for key in self._tallies.keys() - versions:
            del self._tallies[key]

    def note(self, request: Trace, status: int, seconds: float) -> None:
        """A request that is over; those that asked no model for anything do not count."""
        if not (request.model and request.operation):
            return
        tally = self._tallies[request.model, request.version]
        tally.last = time.time()
        if status >= _LOWEST_FAILURE:
            tally.failed += 1
            tally.failing += seconds
            self._share_soon()
            return
        tally.answered += 1
        tally.rows += request.rows
        tally.answering += seconds
        tally.queue += request.queue
        tally.draw += request.draw
        tally.infer += request.infer
        tally.encode += request.encode
        self._share_soon()

    def _share_soon(self) -> None:
        if self._file and not self._is_to_be_shared:
            self._is_to_be_shared = True
            asyncio.get_running_loop().call_later(_LAG, self._share)

    def _share(self) -> None:
        assert self._file
        self._is_to_be_shared = False
        whole = self._file.with_suffix(".new")
        whole.write_bytes(orjson.dumps([[*key, asdict(tally)] for key, tally in self._tallies.items()]))
        whole.replace(self._file)

    def _others(self, model: str, version: str) -> Iterator[Tally]:
        """What other processes have counted, those that have ended too."""
        for file in self._file.parent.glob("tallies-*.json") if self._file else ():
            if file != self._file:
                yield from (
                    Tally(**tally) for *key, tally in orjson.loads(file.read_bytes()) if key == [model, version]
                )
