"""Work for one graph: what a job is, and how jobs are merged into one run and split again."""

from collections.abc import Mapping, Sequence
from itertools import accumulate
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import noise
from models.noise import NoiseKind, Stretch
from service.graph import Arrays

_ONE_AT_A_TIME = Lock()  # threads that draw at once hand the interpreter to and fro, and take four times as long


class Noise(NamedTuple):
    """An input that is drawn when the run begins, for all of its jobs at once."""

    kind: NoiseKind
    name: str
    shape: tuple[int, ...]
    stretch: Stretch


class Job(NamedTuple):
    """Rows to be run together with those of others that have as many samples; `outputs` are those that it wants."""

    rows: int
    samples: int
    outputs: tuple[str, ...]
    inputs: Mapping[str, NDArray[Any] | Noise]

    @property
    def size(self) -> int:
        return self.rows * self.samples


def share_a_run(job: Job, other: Job) -> bool:
    return job.samples == other.samples


def wanted(jobs: Sequence[Job]) -> list[str]:
    """What a run for all of them gives."""
    return list(dict.fromkeys(name for job in jobs for name in job.outputs))


def merge(jobs: Sequence[Job]) -> Arrays:
    """The inputs of one run for all jobs, the noise drawn."""
    return {name: _below_each_other([job.inputs[name] for job in jobs]) for name in jobs[0].inputs}


def pad(feeds: Arrays) -> Arrays:
    """The last row repeated up to a power of two, so that few shapes are ever run."""
    return {name: np.pad(array, _widths(array), mode="edge") for name, array in feeds.items()}


def buckets(most: int) -> list[int]:
    """The numbers of rows that padded runs of up to `most` rows have."""
    return [2**power for power in range(bucket(most).bit_length())]


def bucket(rows: int) -> int:
    """The least power of two that is not less."""
    return 1 << (rows - 1).bit_length()


def split(found: Arrays, jobs: Sequence[Job]) -> list[Arrays]:
    """What belongs to each; rows that were padded belong to none."""
    ends = accumulate(job.rows for job in jobs)
    return [
        {name: found[name][end - job.rows : end] for name in job.outputs} for job, end in zip(jobs, ends, strict=True)
    ]


def _below_each_other(inputs: Sequence[NDArray[Any] | Noise]) -> NDArray[Any]:
    if all(isinstance(each, Noise) for each in inputs):
        return _drawn(inputs)
    arrays = [_drawn([each]) if isinstance(each, Noise) else each for each in inputs]
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def _drawn(inputs: Sequence[Any]) -> NDArray[np.float32]:
    kind, name, shape, _ = inputs[0]
    with _ONE_AT_A_TIME:
        return noise.draw_together(kind, name, shape, [each.stretch for each in inputs])


def _widths(array: NDArray[Any]) -> list[tuple[int, int]]:
    return [(0, bucket(len(array)) - len(array)), *[(0, 0)] * (array.ndim - 1)]
