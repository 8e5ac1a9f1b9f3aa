"""Load by wrk, one thread of C: a client in Python would take as much of the processor as the server that it asks."""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from tests.benchmarks.peers.dialects import Ask

# The answer's body is not looked at here; wrk counts the statuses from 400 on.
_SCRIPT = """
wrk.method = "POST"
wrk.body = io.open("{body}", "rb"):read("*a")
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\\n{{"answers": %d, "microseconds": %d, "p50": %f, "p99": %f, "failed": %d}}', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
"""


class LoadFailed(Exception):
    """Some requests were not answered, or not with a success."""


class Load(NamedTuple):
    """How many answers, how many a second, and milliseconds."""

    answers: int
    requests: float
    p50: float
    p99: float


def load(address: str, ask: Ask, connections: int, seconds: int) -> Load:
    """As many requests as the server answers over so many connections, each with one under way. LoadFailed."""
    with tempfile.TemporaryDirectory() as folder:
        body, script = Path(folder) / "body", Path(folder) / "post.lua"
        body.write_bytes(ask.body)
        script.write_text(_SCRIPT.format(body=body))
        headers = [part for name, value in ask.headers.items() for part in ("-H", f"{name}: {value}")]
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", *headers, "-s", str(script)]
        said = subprocess.run(
            ["wrk", *options, f"http://{address}{ask.path}"], capture_output=True, text=True, check=True
        ).stdout
    counted = json.loads(said.splitlines()[-1])
    if counted["failed"] or not counted["answers"]:
        raise LoadFailed(f"{counted['failed']} of {counted['answers']} requests failed")
    answers, seconds = counted["answers"], counted["microseconds"] / 1e6
    return Load(answers, answers / seconds, counted["p50"] / 1e3, counted["p99"] / 1e3)
