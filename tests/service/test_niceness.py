"""Runs come after the event loop where there are too few cores, and nothing else of the process does."""

import os
import sys

import pytest

from service import niceness
from service.graph import Stop
from service.workers import Workers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="threads have a niceness of their own on Linux")


def _own():
    return os.getpriority(os.PRIO_PROCESS, 0)


async def test_runs_come_after_the_event_loop():
    workers, before = Workers(2), _own()
    assert await workers.run(_own, Stop()) == min(19, before + niceness.RUNS)
    assert _own() == before
    workers.close()
