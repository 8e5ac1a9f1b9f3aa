"""From a trained family to graphs that are proved to compute what PyTorch computes."""

import inspect
import logging
import warnings
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models import noise
from models.golden import Arrays, GoldenRows
from models.manifest import SAMPLED, SIGNATURES, Golden, Operation, OperationName
from training.errors import ExportError
from training.exported import Exported
from training.family import Family, Function

OPSET = 20
TOLERANCE = Golden(absolute=1e-3, relative=1e-4)

_GOLDEN_ROWS = 4
_GOLDEN_SAMPLES = 3
_MARGIN = 0.02  # golden draws must stand when every noise value moves by up to this
_TRIALS = 32
_STORED_AS_HALF = 1024  # weights with fewer elements are not worth a Cast


logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it reports every optional package that is not installed


class Export(NamedTuple):
    operations: dict[OperationName, Operation]
    graphs: dict[str, bytes]
    golden: dict[OperationName, GoldenRows]


def export(family: Family, examples: NDArray[np.generic]) -> Export:
    """Trace every operation of the family, check it at several sizes against PyTorch, and keep golden rows.

    The family's matrices are rounded to half precision first, in place: so they are stored, and so they are checked.
    `examples` are rows of data to check with. ExportError names the operation that fails.
    """
    family.eval().requires_grad_(False)
    _round_matrices(family)
    operations = {name: _describe(family, name, function) for name, function in family.operations().items()}
    traced = {operation.graph: name for name, operation in operations.items()}
    graphs = {file: _trace(family, name, family.operations()[name], examples) for file, name in traced.items()}
    exported = Exported(operations, graphs)
    golden = {}
    for name, function in family.operations().items():
        for rows, samples in ((1, 1), (7, 4)):
            _compare(exported, name, _golden_rows(family, name, function, examples, rows, samples))
        golden[name] = _golden_rows(family, name, function, examples, _GOLDEN_ROWS, _GOLDEN_SAMPLES)
    return Export(operations, graphs, golden)


def _round_matrices(family: Family) -> None:
    for name, parameter in family.named_parameters():
        if parameter.dim() > 1:
            rounded = parameter.half().float()
            if not rounded.isfinite().all():
                raise ExportError(f"{name} holds weights beyond half precision")
            parameter.copy_(rounded)


def _describe(family: Family, name: OperationName, function: Function) -> Operation:
    outputs = _run_torch(function, _inputs(family, name, function, None, rows=2, samples=2))
    taken = {*SIGNATURES[name].inputs, *function.fill}
    return Operation(
        graph=f"{function.call.__name__}.onnx",
        noise=dict(function.noise),
        outputs=tuple(output for output in outputs if output not in taken),
        fill=dict(function.fill),
        label=function.label,
    )


def _trace(family: Family, name: OperationName, function: Function, examples: NDArray[np.generic]) -> bytes:
    inputs = _inputs(family, name, function, examples, rows=3, samples=5)
    batch, samples = torch.export.Dim("batch"), torch.export.Dim("samples")
    sampled = function.noise if name in SAMPLED else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own use of deprecated parts
        program = torch.onnx.export(
            _AsModule(family, function).eval(),
            tuple(torch.from_numpy(array) for array in inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(_run_torch(function, inputs)),
            dynamic_shapes=(tuple({0: batch, 1: samples} if key in sampled else {0: batch} for key in inputs),),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _refuse_randomness(name, model)
    _strip(model)
    _pass_through(model.graph)
    _store_as_half(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class _AsModule(nn.Module):
    """A method as the module that the exporter takes; its parameters are the family's."""

    def __init__(self, family: Family, function: Function) -> None:
        super().__init__()
        self.family = family
        self.function = function

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.function.call(*inputs).values())


def _inputs(
    family: Family,
    name: OperationName,
    function: Function,
    examples: NDArray[np.generic] | None,
    *,
    rows: int,
    samples: int,
    seed: int = 0,
) -> Arrays:
    """Data and noise for a method, in the order of its parameters."""
    shapes = family.shapes()
    inputs: Arrays = {}
    for tensor in inspect.signature(function.call).parameters:
        shape = shapes.get(f"{name}.{tensor}") or shapes[tensor]
        if tensor in function.noise:
            axis = range(samples) if name in SAMPLED else None
            inputs[tensor] = noise.draw(function.noise[tensor], tensor, shape, seed=seed, rows=rows, samples=axis)
        elif tensor in function.fill:
            inputs[tensor] = np.full((rows, *shape), function.fill[tensor], np.float32)
        elif tensor == "x" and examples is not None:
            inputs[tensor] = examples[np.arange(rows) % len(examples)].astype(np.float32)
        elif tensor == "x":
            inputs[tensor] = np.zeros((rows, *shape), np.float32)
        else:
            inputs[tensor] = noise.draw("normal", tensor, shape, seed=seed, rows=rows)
    return inputs


def _run_torch(function: Function, inputs: Arrays) -> Arrays:
    outputs = function.call(*(torch.from_numpy(array) for array in inputs.values()))
    return {name: output.detach().numpy() for name, output in outputs.items()}


def _golden_rows(
    family: Family,
    name: OperationName,
    function: Function,
    examples: NDArray[np.generic],
    rows: int,
    samples: int,
) -> GoldenRows:
    """Inputs, and what PyTorch computes for them; draws of a discrete x that hang by a hair are left out."""
    candidates = _inputs(family, name, function, examples, rows=64 * rows, samples=samples)
    outputs = _run_torch(function, candidates)
    kept = np.arange(rows)
    if "x" in outputs and function.noise and family.example.support != "real":
        kept = np.flatnonzero(_stands(function, candidates, outputs["x"]))[:rows]
        if len(kept) < rows:
            raise ExportError(f"{name}: no {rows} draws of x stand when the noise moves by {_MARGIN}")
    return GoldenRows(
        {tensor: array[kept] for tensor, array in candidates.items() if tensor not in function.fill},
        {tensor: array[kept] for tensor, array in outputs.items()},
    )


def _stands(function: Function, inputs: Arrays, x: NDArray[np.generic]) -> NDArray[np.bool_]:
    """Which rows of x stay as they are under many small moves of the noise that meets a threshold."""
    moves = np.random.default_rng(0)
    stands = np.ones(len(x), bool)
    for _ in range(_TRIALS):
        moved = {
            name: (array + moves.uniform(-_MARGIN, _MARGIN, array.shape)).astype(np.float32)
            if function.noise.get(name, "normal") != "normal"
            else array
            for name, array in inputs.items()
        }
        stands &= (_run_torch(function, moved)["x"] == x).reshape(len(x), -1).all(axis=1)
    return stands


def _compare(exported: Exported, name: OperationName, golden: GoldenRows) -> None:
    computed = exported.run(name, golden.inputs)
    for output, value in computed.items():
        expected = golden.outputs[output]
        if value.shape != expected.shape:
            raise ExportError(f"{name}: {output} has shape {value.shape} in the graph, {expected.shape} in PyTorch")
        if not np.allclose(value, expected, rtol=TOLERANCE.relative, atol=TOLERANCE.absolute):
            worst = float(np.abs(value - expected).max())
            raise ExportError(f"{name}: {output} differs by up to {worst:.3g} between the graph and PyTorch")


def _refuse_randomness(name: OperationName, model: ModelProto) -> None:
    for graph in _graphs(model.graph):
        for node in graph.node:
            if node.op_type in noise.RANDOM_OPERATORS:
                raise ExportError(
                    f"{name}: the graph draws its own noise ({node.op_type}); take noise as an argument and name it "
                    "in operations()"
                )


def _strip(model: ModelProto) -> None:
    """Drop what the exporter notes down of the machine: paths and stack traces."""
    del model.metadata_props[:]
    model.doc_string = ""
    for graph in _graphs(model.graph):
        graph.doc_string = ""
        del graph.metadata_props[:]
        for part in (*graph.node, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
            part.doc_string = ""
            del part.metadata_props[:]


def _pass_through(graph: GraphProto) -> None:
    """An output that is an input under the same name needs no node; the exporter writes an Identity onto itself."""
    for node in [node for node in graph.node if node.op_type == "Identity" and node.input == node.output]:
        graph.node.remove(node)


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph and all graphs inside it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)


def _store_as_half(model: ModelProto) -> None:
    """Keep weights that half precision holds exactly as such, with a Cast behind each."""
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _STORED_AS_HALF:
            continue
        values = numpy_helper.to_array(tensor)
        half = values.astype(np.float16)
        if (half.astype(np.float32) == values).all():
            casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], to=TensorProto.FLOAT))
            tensor.CopyFrom(numpy_helper.from_array(half, f"{tensor.name}_half"))
    nodes = [*casts, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)
