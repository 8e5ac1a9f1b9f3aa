"""How large a bundle may be, so that reading one cannot take all memory."""

from collections.abc import Iterator, Mapping
from math import prod

MOST_FILES = 64
MOST_BYTES = 2**30  # of all files
_MOST_VALUES = 2**24  # of a tensor in one row


def excesses(shapes: Mapping[str, tuple[int, ...]], sizes: Mapping[str, int]) -> Iterator[str]:
    """What is too large: tensors by their shapes without the batch axis, files by their bytes."""
    if len(sizes) > MOST_FILES:
        yield f"there are {len(sizes):,} files; {MOST_FILES} are allowed"
    if (total := sum(sizes.values())) > MOST_BYTES:
        yield f"the files have {total:,} bytes together; {MOST_BYTES:,} are allowed"
    for tensor, shape in shapes.items():
        if prod(shape) > _MOST_VALUES:
            yield f"one {tensor} has {prod(shape):,} values; {_MOST_VALUES:,} are allowed"
