"""What is noted of one request while it is answered: whom it asked, and where the time went."""

import math
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass
class Trace:
    """Durations in seconds; model, version and operation stay empty where none was reached.

    `address` is where the request comes from, `caller` the name of its key, if keys are asked for, and `problem` the
    title of the refusal, if it became one. Its answer is to be whole at `deadline`, by time.perf_counter.

    `rows` were run for the request, those of each graph that it went through; `draw` is the part of `infer` in which
    its noise was drawn.
    """

    request_id: str = ""
    address: str = ""
    deadline: float = math.inf
    caller: str = ""
    problem: str = ""
    model: str = ""
    version: str = ""
    operation: str = ""
    rows: int = 0
    queue: float = 0.0
    draw: float = 0.0
    infer: float = 0.0
    encode: float = 0.0

    @property
    def server_timing(self) -> bytes:
        """The value of the Server-Timing header, in milliseconds."""
        durations = 1000 * self.queue, 1000 * self.infer, 1000 * self.encode
        return b"queue;dur=%.3f, infer;dur=%.3f, encode;dur=%.3f" % durations


_CURRENT: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace:
    """The trace of the request at hand; a fresh one outside of any."""
    return _CURRENT.get() or begin("")


def begin(request_id: str) -> Trace:
    trace = Trace(request_id)
    _CURRENT.set(trace)
    return trace
