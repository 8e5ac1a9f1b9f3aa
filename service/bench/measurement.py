"""What a load came to: how many requests ended how, how fast, and after how long."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from service.bench.load import Outcome

PERCENTILES = {"p50": 50.0, "p90": 90.0, "p95": 95.0, "p99": 99.0, "p99.9": 99.9}
REFUSALS = (429, 503)  # the service says that it will not now, and when to come again
_POINTS = 100  # of a curve


class Load(NamedTuple):
    """How was asked: `rate` is None in a closed loop, `connections` in an open one. Times are in seconds."""

    seconds: float
    warmup: float
    rate: float | None = None
    connections: int | None = None

    @property
    def name(self) -> str:
        many = "" if self.connections == 1 else "s"
        return f"{self.rate:g}/s" if self.rate is not None else f"{self.connections} connection{many}"


def measured(load: Load, outcomes: Sequence[Outcome], rows: int) -> dict[str, Any]:
    """All in plain numbers, as the report has them. Latencies are of answered requests, in milliseconds.

    Every request that was due after the warm-up is answered (2xx), refused (429, 503) or failed.
    """
    counted = [outcome for outcome in outcomes if outcome.due >= load.warmup]
    answered = [outcome for outcome in counted if 200 <= outcome.status < 300]
    refused = [outcome for outcome in counted if outcome.status in REFUSALS]
    seconds = max([load.seconds, *(outcome.done - load.warmup for outcome in counted)])
    after = [outcome.retry_after for outcome in refused if outcome.retry_after is not None]
    latency = np.sort([1000 * (outcome.done - outcome.due) for outcome in answered])
    lag = np.sort([1000 * (outcome.sent - outcome.due) for outcome in counted])
    return {
        "load": load.name,
        "loop": "closed" if load.rate is None else "open",
        "rate": load.rate,
        "connections": load.connections,
        "seconds": round(seconds, 3),
        "asked": len(counted),
        "answered": len(answered),
        "refused": len(refused),
        "failed": len(counted) - len(answered) - len(refused),
        "statuses": _counts(str(outcome.status) for outcome in counted if outcome.status),
        "failures": _counts(outcome.failure for outcome in counted if outcome.failure),
        "retry_after_seconds": {"least": min(after), "most": max(after)} if after else None,
        "requests_per_second": round(len(answered) / seconds, 2),
        "rows_per_second": round(len(answered) * rows / seconds, 2),
        "latency_ms": _summary(latency),
        "lag_ms": _summary(lag) if load.rate is not None else None,
        "curve": _curve(latency),
    }


def _counts(names: Any) -> dict[str, int]:
    return dict(sorted(Counter(names).items()))


def _summary(times: NDArray[np.float64]) -> dict[str, float] | None:
    """Percentiles are times that occurred."""
    if not times.size:
        return None
    ranks = {name: _at(times, percent) for name, percent in PERCENTILES.items()}
    ends = {"mean": float(times.mean()), "min": float(times[0]), **ranks, "max": float(times[-1])}
    return {name: round(value, 3) for name, value in ends.items()}


def _curve(times: NDArray[np.float64]) -> list[tuple[float, float]]:
    """(share of answers in percent that came sooner, time), ever closer towards 100, the longest time last."""
    tails = np.geomspace(1, 1 / max(times.size, 1), min(_POINTS, times.size))
    faster = [times.size - max(1, round(float(tail) * times.size)) for tail in tails]
    return [(round(100 * place / times.size, 4), round(float(times[place]), 3)) for place in faster]


def _at(times: NDArray[np.float64], percent: float) -> float:
    return float(np.percentile(times, percent, method="inverted_cdf"))
