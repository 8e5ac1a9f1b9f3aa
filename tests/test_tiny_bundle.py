"""The tiny bundle's graphs compute the formulas beside them."""

import numpy as np
import onnxruntime
import pytest

from models import golden
from models.manifest import OPERATIONS
from models.repository import read_bundle
from tests import tiny_bundle


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("bias", [0.0, 0.75])
def test_graph_gives_the_golden_rows(tmp_path, operation, conditional, exact, bias):
    folder = tiny_bundle.publish(tmp_path, operations=[operation], conditional=conditional, exact=exact, bias=bias)
    bundle = read_bundle(folder)
    declared = bundle.manifest.operations[operation]
    rows = golden.unpack(bundle.files["golden.safetensors"], operation)
    session = onnxruntime.InferenceSession(bundle.files[declared.graph], providers=["CPUExecutionProvider"])
    outputs = {output.name.removesuffix("_out"): output.name for output in session.get_outputs()}
    computed = session.run([outputs[name] for name in declared.outputs], rows.inputs)
    for name, value in zip(declared.outputs, computed, strict=True):
        assert value.shape == rows.outputs[name].shape
        np.testing.assert_allclose(value, rows.outputs[name], rtol=1e-5, atol=1e-5)
