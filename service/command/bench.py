"""Put load on a service and see what it makes of it.

Closed loop (--connections): so many callers, each of whom asks again once it has its answer. Open loop (--rate):
requests come at random times (Poisson), whatever became of those before, and latency counts from when each was due.
Several values are measured one after the other.
"""

import argparse
import asyncio
import functools
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from models.errors import ReparamError
from service.bench import load, report
from service.bench.arrivals import poisson
from service.bench.connection import Connection, place_of, written
from service.bench.measurement import Load, measured
from service.bench.question import TYPES, VERBS, Question, question
from service.bench.table import remarks, table
from service.command import connection

_ROWS = {"interpolate": 8, "traverse": 8}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("url", nargs="?", metavar="URL", default=connection.url(), help="(default: %(default)s)")
    parser.add_argument("--verb", choices=VERBS, default="sample")
    parser.add_argument("--model", default="", help="the first that has the verb unless set")
    parser.add_argument("--num-samples", type=_count, default=1, metavar="N", help="rows that a sample draws")
    parser.add_argument("--rows", type=_count, metavar="N", help="rows of the other verbs (1), or steps of a path (8)")
    parser.add_argument("--samples", type=_count, default=16, metavar="K", help="samples a row of a score")
    parser.add_argument(
        "--payload", choices=TYPES, default="json", help="type of bodies and answers where there is a choice"
    )
    how = parser.add_mutually_exclusive_group()
    how.add_argument(
        "--connections", type=_count, nargs="+", default=[1], metavar="N", help="closed loop: callers at a time"
    )
    how.add_argument("--rate", type=_positive, nargs="+", default=[], metavar="R", help="open loop: requests a second")
    parser.add_argument(
        "--duration", type=_positive, default=10.0, metavar="S", help="seconds that count, of each value"
    )
    parser.add_argument("--warmup", type=_not_negative, default=1.0, metavar="S", help="seconds before, that do not")
    parser.add_argument(
        "--timeout", type=_positive, default=60.0, metavar="S", help="seconds after which a request failed"
    )
    connection.key_argument(parser)
    parser.add_argument("-o", "--output", type=Path, nargs="+", default=[], help="what to write: .html, .json, or both")


def run(given: argparse.Namespace) -> int:
    """2 where the service refuses the question or nobody answers, 1 where no request was answered."""
    try:
        place_of(given.url)
        for path in given.output:
            report.check_writable(path)
        asked = _question(given)
    except (ReparamError, ValueError, OSError) as error:
        print(f"reparam bench: {error}", file=sys.stderr)
        return 2
    except httpx.TransportError as error:
        print(f"reparam bench: nothing answers at {given.url} ({error}); is the service running?", file=sys.stderr)
        return 2
    runs = []
    for each in _loads(given):
        runs.append(_measure(each, asked, given))
        for sentence in remarks(runs[-1]):
            print(sentence, file=sys.stderr)
    print(f"{given.verb} of {asked.model}/{asked.version}, {given.payload}, rows {asked.rows}; latencies in ms")
    print(table(runs))
    for path in given.output:
        report.write(path, _report(given, asked, runs))
    return 0 if any(run["answered"] for run in runs) else 1


def _question(given: argparse.Namespace) -> Question:
    rows = given.num_samples if given.verb == "sample" else given.rows or _ROWS.get(given.verb, 1)
    how = {"model": given.model, "payload": given.payload, "rows": rows, "samples": given.samples}
    with httpx.Client(base_url=given.url, headers=_key(given), timeout=given.timeout) as http:
        return question(http, given.verb, **how)


def _loads(given: argparse.Namespace) -> Iterator[Load]:
    for rate in given.rate:
        yield Load(given.duration, given.warmup, rate=rate)
    for connections in [] if given.rate else given.connections:
        yield Load(given.duration, given.warmup, connections=connections)


def _measure(each: Load, asked: Question, given: argparse.Namespace) -> dict[str, Any]:
    place, seconds = place_of(given.url), each.warmup + each.seconds
    request = written(place, asked.path, asked.headers | _key(given), asked.content)
    connect = functools.partial(Connection, place)
    if each.rate is not None:
        arrivals = poisson(each.rate, seconds)
        with asyncio.Runner(loop_factory=load.event_loop) as runner:
            outcomes = runner.run(load.opened(connect, request, arrivals, timeout=given.timeout))
    else:
        how = {"connections": each.connections, "seconds": seconds, "timeout": given.timeout}
        outcomes = asyncio.run(load.closed(connect, request, **how))
    return measured(each, outcomes, asked.rows)


def _report(given: argparse.Namespace, asked: Question, runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "url": given.url,
        "model": asked.model,
        "version": asked.version,
        "digest": asked.digest,
        "verb": given.verb,
        "payload": given.payload,
        "rows": asked.rows,
        "samples": given.samples if given.verb == "score" else None,
        "duration_seconds": given.duration,
        "warmup_seconds": given.warmup,
        "timeout_seconds": given.timeout,
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "runs": runs,
    }


def _key(given: argparse.Namespace) -> dict[str, str]:
    key = connection.settings(given)["key"]
    return {"Authorization": f"Bearer {key}"} if key else {}


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return number


def _positive(text: str) -> float:
    if not 0 < (number := float(text)) < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not more than 0")
    return number


def _not_negative(text: str) -> float:
    return 0.0 if float(text) == 0 else _positive(text)
