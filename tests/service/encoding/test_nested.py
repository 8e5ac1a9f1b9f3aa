"""Which nested lists are tensors, and what becomes of their numbers."""

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from service.encoding.nested import Tensor


class Holder(BaseModel):
    model_config = ConfigDict(arbitrary_types_allowed=True)

    x: Tensor


def tensor(value):
    return Holder(x=value).x


@pytest.mark.parametrize(
    ("value", "shape"), [([1], (1,)), ([[1, 2.5]], (1, 2)), ([[[0]], [[1]]], (2, 1, 1)), ([[1], [2**64 - 1]], (2, 1))]
)
def test_nested_lists_become_arrays_of_their_shape(value, shape):
    array = tensor(value)
    assert array.shape == shape
    assert array.dtype == np.float32
    assert (array == np.array(value, np.float32)).all()


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ([[1], [True]], "numbers only"),
        ([False], "numbers only"),
        ([None], "numbers only"),
        (["1"], "numbers only"),
        ([{}], "numbers only"),
        ([1, [1]], "numbers only"),
        ([[1], 1], "numbers only"),
        ([[1, 2], [3]], "ragged"),
        ([[[1]], [[1], [2]]], "ragged"),
        ([[], [1]], "ragged"),
        ([], "no items"),
        ([[], []], "no items"),
        ([1e39], "beyond single precision"),
        ([-1e39], "beyond single precision"),
        ([3.4028236e38], "beyond single precision"),
        (1, "number array"),
        ("[1]", "number array"),
        (None, "number array"),
        ({"0": 1}, "number array"),
    ],
)
def test_what_is_no_tensor_is_refused(value, complaint):
    with pytest.raises(ValidationError, match=complaint) as refused:
        tensor(value)
    assert refused.value.error_count() == 1


@pytest.mark.parametrize("values", [[0, 255], [-1, 256], [0, 2**24 + 1, -(2**70)], [0, 0.5], [-0.0, 1]])
def test_numbers_of_any_kind_become_the_nearest_singles(values):
    assert tensor([values]).tobytes() == np.array([[float(value) for value in values]], np.float32).tobytes()


def test_largest_single_is_taken():
    assert tensor([3.4028234e38]) == np.finfo(np.float32).max
