"""A data set as what training needs of it: three splits in memory, what their rows are, a digest."""

from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.manifest import Example

Array = NDArray[np.generic]

_SEED = 20_140_101  # how data without a split of its own is shared out; never to change


class Dataset(NamedTuple):
    """Three splits of (rows, *shape): uint8 where the values are whole, else float32."""

    name: str
    example: Example
    train: Array
    validation: Array
    test: Array

    @property
    def shape(self) -> tuple[int, ...]:
        return self.train.shape[1:]

    @property
    def digest(self) -> str:
        """sha256 over the splits as they are used, whichever file they came from."""
        whole = sha256()
        for split in (self.train, self.validation, self.test):
            whole.update(f"{split.dtype.str}{split.shape}".encode())
            whole.update(np.ascontiguousarray(split).data)
        return whole.hexdigest()


def share_out(rows: Array, validation: int, test: int) -> tuple[Array, Array, Array]:
    """So many random rows to validation and to test, the others to training; the same ones every time."""
    order = shuffled(len(rows))
    return rows[order[validation + test :]], rows[order[:validation]], rows[order[validation : validation + test]]


def shuffled(rows: int) -> NDArray[np.int64]:
    """The row numbers in the order in which data are shared out."""
    return np.random.RandomState(_SEED).permutation(rows)
