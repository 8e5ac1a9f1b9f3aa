"""Work for one graph: what a job is, and how jobs are merged into one run and split again."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from service.graph import Arrays


class Job(NamedTuple):
    """Rows to be run together with those of others that want the same outputs with as many samples.

    `feeds` draws the noise and gives the inputs; it is called in the thread that runs the graph.
    """

    rows: int
    samples: int
    outputs: tuple[str, ...]
    feeds: Callable[[], Arrays]

    @property
    def size(self) -> int:
        return self.rows * self.samples


def in_parts(jobs: Sequence[Job], most: int) -> list[list[Job]]:
    """The jobs in their order, in parts of at most that size, or of one job."""
    parts: list[list[Job]] = [[]]
    size = 0
    for job in jobs:
        if parts[-1] and size + job.size > most:
            parts.append([])
            size = 0
        parts[-1].append(job)
        size += job.size
    return parts


def size_of(jobs: Sequence[Job]) -> int:
    return sum(job.size for job in jobs)


def share_a_run(job: Job, other: Job) -> bool:
    return (job.outputs, job.samples) == (other.outputs, other.samples)


def merge(feeds: list[Arrays]) -> Arrays:
    if len(feeds) == 1:
        return feeds[0]
    return {name: np.concatenate([arrays[name] for arrays in feeds]) for name in feeds[0]}


def split(outputs: Arrays, rows: list[int]) -> list[Arrays]:
    ends = np.cumsum(rows)[:-1]
    parts = {name: np.split(array, ends) for name, array in outputs.items()}
    return [{name: arrays[i] for name, arrays in parts.items()} for i in range(len(rows))]
