"""Work for one graph: what a job is, and how jobs are merged into one run and split again."""

from collections.abc import Callable
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


def share_a_run(job: Job, other: Job) -> bool:
    return (job.outputs, job.samples) == (other.outputs, other.samples)


def merge(feeds: list[Arrays]) -> Arrays:
    if len(feeds) == 1:
        return feeds[0]
    return {name: np.concatenate([arrays[name] for arrays in feeds]) for name in feeds[0]}


def split(outputs: Arrays, rows: list[int]) -> list[Arrays]:
    if len(rows) == 1:
        return [outputs]
    ends = np.cumsum(rows).tolist()
    return [
        {name: array[end - count : end] for name, array in outputs.items()}
        for count, end in zip(rows, ends, strict=True)
    ]
