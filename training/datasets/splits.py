"""A data set as what training needs of it: three splits in memory, what their rows are, a digest."""

from hashlib import sha256
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.manifest import Example

Array = NDArray[np.generic]

_SEED = 20_140_101  # how data without a split of its own is shared out; never to change


class Labels(NamedTuple):
    """The class of each row, as its place among `names`; int64 (rows,) each."""

    names: tuple[str, ...]
    train: Array
    validation: Array
    test: Array


class Examples(NamedTuple):
    """Rows of a split, with their labels where the model is given them."""

    x: Array
    label: Array | None = None

    def take(self, rows: slice | NDArray[np.int64]) -> "Examples":
        return Examples(self.x[rows], None if self.label is None else self.label[rows])

    def inputs(self) -> dict[str, Array]:
        """As the inputs of a graph."""
        return {"x": self.x.astype(np.float32)} | ({} if self.label is None else {"label": self.label})


class Dataset(NamedTuple):
    """Three splits of (rows, *shape): uint8 where the values are whole, else float32; `labels` if asked for."""

    name: str
    example: Example
    train: Array
    validation: Array
    test: Array
    labels: Labels | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        return self.train.shape[1:]

    @property
    def classes(self) -> int:
        """How many labels there are; 0 for data without."""
        return len(self.labels.names) if self.labels else 0

    def examples(self, split: Literal["train", "validation", "test"]) -> Examples:
        return Examples(getattr(self, split), getattr(self.labels, split) if self.labels else None)

    @property
    def digest(self) -> str:
        """sha256 over the splits and labels as they are used, whichever file they came from."""
        whole = sha256()
        for split in (self.train, self.validation, self.test, *(self.labels[1:] if self.labels else ())):
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
