"""Rows of the user's own as a file or folder holds them: what each reader gives."""

from typing import NamedTuple

from training.datasets.splits import Array

SPLITS = ("train", "validation", "test")


class Rows(NamedTuple):
    """Finite numbers (rows, *shape), and the label of each row as whole numbers or text if labels were asked for.

    A reader gives one of these to be shared out, or one for each of SPLITS; `label` is None where there are none.
    """

    x: Array
    label: Array | None = None
