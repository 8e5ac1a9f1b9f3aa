"""Golden rows come back as they went in, or not at all."""

import numpy as np
import pytest
from safetensors.numpy import save

from models import golden
from models.errors import BundleError
from models.golden import GoldenRows
from tests.service.spoiling import brain_floats, safetensors

ROWS = {
    "encode": GoldenRows(
        {"x": np.arange(12, dtype=np.float32).reshape(3, 4).T, "label": np.array([0, 1, 1, 0])},
        {"z": np.float32([[0.5], [-0.0], [1e-30], [2]])},
    ),
    "decode": GoldenRows({"z": np.zeros((2, 1), np.float32)}, {"x": np.ones((2, 3), np.float32)}),
}


@pytest.mark.parametrize("operation", ROWS)
def test_rows_come_back_bit_for_bit(operation):
    unpacked = golden.unpack(golden.pack(ROWS), operation)
    for expected, found in zip(ROWS[operation], unpacked, strict=True):
        assert set(found) == set(expected)
        for name, array in expected.items():
            assert found[name].dtype == array.dtype
            assert found[name].shape == array.shape
            assert found[name].tobytes() == array.tobytes()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (golden.pack(ROWS), "no rows for score"),
        (golden.pack(ROWS)[:-1], "not safetensors"),
        (b"", "not safetensors"),
        (brain_floats("score/outputs/z"), "not safetensors of plain numbers"),
        (safetensors("score/outputs/z", "F32", [0, 2**62], 0), "not safetensors of plain numbers"),
        (safetensors("score/outputs/z", "F32", [0, 2**63], 0), "not safetensors of plain numbers"),
        (safetensors("score/outputs/z", "F32", [2**62], 4), "not safetensors"),
        ((2**62).to_bytes(8, "little") + b"{}", "not safetensors"),
        (save({"x": np.zeros(1)}), "holds x, which"),
        (save({"score/elsewhere/x": np.zeros(1)}), "holds score/elsewhere/x, which"),
    ],
)
def test_what_holds_no_golden_rows_is_refused(content, complaint):
    with pytest.raises(BundleError, match=complaint):
        golden.unpack(content, "score")
