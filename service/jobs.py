"""Work for one graph: what a job is, and how jobs are merged into one run and split again."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

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


def pad(feeds: Arrays) -> Arrays:
    """The last row repeated up to a power of two, so that few shapes are ever run."""
    return {name: np.pad(array, _widths(array), mode="edge") for name, array in feeds.items()}


def buckets(most: int) -> list[int]:
    """The numbers of rows that padded runs of up to `most` rows have."""
    return [2**power for power in range(bucket(most).bit_length())]


def bucket(rows: int) -> int:
    """The least power of two that is not less."""
    return 1 << (rows - 1).bit_length()


def split(outputs: Arrays, rows: list[int]) -> list[Arrays]:
    """What belongs to each; rows that were padded belong to none."""
    ends = np.cumsum(rows).tolist()
    return [
        {name: array[end - count : end] for name, array in outputs.items()}
        for count, end in zip(rows, ends, strict=True)
    ]


def _widths(array: NDArray[Any]) -> list[tuple[int, int]]:
    return [(0, bucket(len(array)) - len(array)), *[(0, 0)] * (array.ndim - 1)]
