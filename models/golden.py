"""The golden rows of a bundle: for each operation, inputs and the outputs that PyTorch computed for them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save

from models.errors import BundleError
from models.manifest import Golden, OperationName

Arrays = dict[str, NDArray[np.generic]]


class GoldenRows(NamedTuple):
    inputs: Arrays
    outputs: Arrays


def pack(rows: dict[OperationName, GoldenRows]) -> bytes:
    """One safetensors file; its keys are `operation/inputs/tensor` and `operation/outputs/tensor`."""
    return save(
        {
            f"{operation}/{side}/{name}": np.ascontiguousarray(array)
            for operation, golden in rows.items()
            for side, arrays in golden._asdict().items()
            for name, array in arrays.items()
        }
    )


def agree(computed: NDArray[np.generic], expected: NDArray[np.generic], tolerance: Golden) -> bool:
    """Whether two outputs are the same numbers, as far as rounding on another machine lets them be."""
    return computed.shape == expected.shape and np.allclose(
        computed, expected, rtol=tolerance.relative, atol=tolerance.absolute
    )


def unpack(content: bytes, operation: OperationName) -> GoldenRows:
    """The rows of one operation; BundleError where there are none."""
    try:
        tensors = load(content)
    except (SafetensorError, KeyError, ValueError) as error:  # a type of number or a shape that numpy does not have
        raise BundleError(f"the golden file is not safetensors of plain numbers: {error}") from error
    rows = GoldenRows({}, {})
    for key, array in tensors.items():
        match key.split("/"):
            case owner, "inputs" | "outputs" as side, name:
                if owner == operation:
                    getattr(rows, side)[name] = array
            case _:
                raise BundleError(f"the golden file holds {key}, which is not operation/inputs or outputs/tensor")
    if not rows.outputs:
        raise BundleError(f"the golden file holds no rows for {operation}")
    return rows
