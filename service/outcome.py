"""One run of a graph for several jobs, timed."""

import time
from typing import NamedTuple

from service.graph import Arrays, Graph, Stop
from service.jobs import Job, merge, pad, split, wanted


class Outcome(NamedTuple):
    """What a run gave; its seconds by the clock, those of them that its noise took, and those that it computed."""

    outputs: list[Arrays]
    seconds: float
    drawing: float
    computed: float


def compute(graph: Graph, jobs: list[Job], stop: Stop) -> Outcome:
    """The outputs of each job; whatever fails the run is raised."""
    clock = time.perf_counter if graph.has_buckets else time.thread_time  # a GPU computes beside the thread
    started, began = time.perf_counter(), clock()
    feeds = merge(jobs)
    drawing = time.perf_counter() - started
    found = graph.run(pad(feeds) if graph.has_buckets else feeds, wanted(jobs), stop)
    parts = split(found, jobs)
    return Outcome(parts, time.perf_counter() - started, drawing, clock() - began)
