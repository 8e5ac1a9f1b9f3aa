"""How often each model was asked and where the time went, as the inference protocol counts it."""

import time
from collections import defaultdict
from dataclasses import dataclass

from service.trace import Trace

_LOWEST_FAILURE = 400


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


class Statistics:
    """Written at the end of each request, on the event loop."""

    def __init__(self) -> None:
        self._tallies: defaultdict[tuple[str, str], Tally] = defaultdict(Tally)

    def of(self, model: str, version: str) -> Tally:
        return self._tallies[model, version]

    def note(self, request: Trace, status: int, seconds: float) -> None:
        """A request that is over; those that asked no model for anything do not count."""
        if not (request.model and request.operation):
            return
        tally = self._tallies[request.model, request.version]
        tally.last = time.time()
        if status >= _LOWEST_FAILURE:
            tally.failed += 1
            tally.failing += seconds
            return
        tally.answered += 1
        tally.rows += request.rows
        tally.answering += seconds
        tally.queue += request.queue
        tally.draw += request.draw
        tally.infer += request.infer
        tally.encode += request.encode
