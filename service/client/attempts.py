"""When to ask again: what a second try may cure, and how long to wait before it. Nothing is sent or slept here."""

import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import count
from time import time
from typing import NamedTuple

import httpx

from service.client.problems import Unreachable

BROKEN = (httpx.NetworkError, httpx.TimeoutException, httpx.RemoteProtocolError)
_BUSY = frozenset({429, 503})
_FIRST_WAIT, _LONGEST_WAIT = 0.1, 5.0  # seconds

Outcome = httpx.Response | httpx.TransportError


@dataclass(frozen=True)
class Patience:
    """`timeout` seconds for an answer, all tries together; `retries` after connections that were refused or broke."""

    timeout: float = 60.0
    retries: int = 5


class Try(NamedTuple):
    """Ask now; the answer is of no use after so many seconds."""

    seconds: float


class Wait(NamedTuple):
    """Do nothing for so many seconds."""

    seconds: float


Step = Try | Wait
Attempts = Generator[Step, Outcome | None, httpx.Response]


def attempts(patience: Patience, accepts: frozenset[int], clock: Callable[[], float]) -> Attempts:
    """Steps to take, each outcome sent back in; returns the answer, which may be a refusal, or raises Unreachable."""
    until = clock() + patience.timeout
    for number in count():
        outcome = yield Try(max(0.001, until - clock()))
        wait = _wait(number, outcome, accepts)
        is_hopeless = number >= patience.retries and not isinstance(outcome, httpx.Response)
        if wait is None or is_hopeless or clock() + wait >= until:
            break
        yield Wait(wait)
    if isinstance(outcome, httpx.Response):
        return outcome
    raise Unreachable(f"no answer: {_cause(outcome)}") from outcome


def _wait(number: int, outcome: Outcome | None, accepts: frozenset[int]) -> float | None:
    """Seconds until the next try, spread so that many callers do not come back as one; None if it would be in vain."""
    wait = min(_LONGEST_WAIT, _FIRST_WAIT * 2.0**number) * (0.5 + secrets.randbelow(1000) / 2000)
    if not isinstance(outcome, httpx.Response):
        return wait
    if outcome.status_code in accepts or outcome.status_code not in _BUSY:
        return None
    return wait + _retry_after(outcome.headers.get("Retry-After", ""))


def _retry_after(given: str) -> float:
    """Seconds from now, of a number or a date."""
    if given.isascii() and given.isdecimal():
        return float(given)
    try:
        return max(0.0, parsedate_to_datetime(given).timestamp() - time())
    except ValueError:
        return 0.0


def _cause(outcome: Outcome | None) -> str:
    return str(outcome) or type(outcome).__name__
