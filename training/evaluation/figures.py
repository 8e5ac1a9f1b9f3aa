"""A measured mean as a figure."""

import numpy as np
from numpy.typing import NDArray

from models.provenance import Figure


def mean_figure(values: NDArray[np.generic], unit: str, split: str = "test") -> Figure:
    """The mean and its standard error, which one value alone does not have."""
    return Figure(
        value=float(values.mean()),
        std_error=float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None,
        unit=unit,
        split=split,
        examples=len(values),
    )
