"""The graph of an autoregressive model draws in one Loop what PyTorch draws, each row as if it were alone."""

import numpy as np
import onnx
import pytest
import torch

from tests.training.test_ancestral import AUTOREGRESSIVE


@pytest.mark.parametrize("member", AUTOREGRESSIVE)
def test_a_row_is_the_same_bytes_alone_and_among_others(exports, member):
    exported = exports(member).exported
    among = exported.run("sample", exported.draw("sample", index=0, rows=9))["x"]
    for row in range(9):
        alone = exported.run("sample", exported.draw("sample", index=row, rows=1))["x"]
        assert alone[0].tobytes() == among[row].tobytes()
    assert len({row.tobytes() for row in among}) == 9


@pytest.mark.parametrize("member", AUTOREGRESSIVE)
@pytest.mark.parametrize("rows", [1, 2, 9])
def test_graph_draws_what_pytorch_draws(exports, member, rows):
    module, _, exported = exports(member)
    for seed in range(5):
        given = exported.draw("sample", index=0, rows=rows, seed=seed)
        function = module.operations()["sample"]
        filled = {name: torch.zeros(rows, *module.shapes()[name]) for name in function.fill}
        with torch.no_grad():
            x = function.call(**filled, **{name: torch.from_numpy(array) for name, array in given.items()})["x"]
        np.testing.assert_allclose(exported.run("sample", given)["x"], x.numpy(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("member", AUTOREGRESSIVE)
def test_graph_that_draws_is_one_loop(exports, member):
    export = exports(member).export
    loops = {file: _operators(onnx.load_from_string(content).graph) for file, content in export.graphs.items()}
    drawing = export.operations["sample"].graph
    assert {file: operators.count("Loop") for file, operators in loops.items()} == {drawing: 1, "score.onnx": 0}
    assert not {"If", "Scan"} & {operator for operators in loops.values() for operator in operators}


def _operators(graph):
    """Of a graph and of all graphs inside it."""
    inner = [attribute.g for node in graph.node for attribute in node.attribute if attribute.HasField("g")]
    return [node.op_type for node in graph.node] + [operator for body in inner for operator in _operators(body)]
