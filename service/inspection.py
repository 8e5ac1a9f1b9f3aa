"""What a graph may contain: only ONNX's own deterministic operators, no data from elsewhere, the promised tensors."""

from collections.abc import Iterator
from itertools import chain
from math import prod

import onnx
from google.protobuf.message import DecodeError
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    SparseTensorProto,
    TensorProto,
    ValueInfoProto,
)

from models.errors import BundleError
from models.manifest import SAMPLED, Manifest, OperationName
from models.noise import RANDOM_OPERATORS
from service.graph import tensor_name

_DOMAINS = frozenset({"", "ai.onnx"})
_INT64_INPUTS = frozenset({"label"})
_LOOPS = frozenset({"Loop", "Scan"})

_MOST_DEPTH = 8  # of graphs in graphs: what ONNX Runtime does to them grows with a power of it
_MOST_NODES = 10_000
_MOST_CONSTANTS = 2**28  # numbers; a sparse tensor counts in full, as that is what it becomes


def inspect(content: bytes, file: str, manifest: Manifest) -> bool:
    """Whether the graph loops; BundleError if it is not what the manifest says, or more than a pure function."""
    try:
        model = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise BundleError(f"{file} is not an ONNX file") from error
    for complaint in chain(_excessive(model.graph), _foreign(model), _mismatched(model.graph, file, manifest)):
        raise BundleError(f"{file}: {complaint}")
    return any(node.op_type in _LOOPS for node in _nodes(model.graph))


def _excessive(graph: GraphProto) -> Iterator[str]:
    if (depth := _depth(graph)) > _MOST_DEPTH:
        yield f"graphs lie in graphs {depth} deep; {_MOST_DEPTH} are allowed"
    if (nodes := sum(1 for _ in _nodes(graph))) > _MOST_NODES:
        yield f"it has {nodes:,} operators; {_MOST_NODES:,} are allowed"
    if (numbers := sum(abs(prod(tensor.dims)) for tensor in _constants(graph))) > _MOST_CONSTANTS:
        yield f"its constants are {numbers:,} numbers; {_MOST_CONSTANTS:,} are allowed"


def _foreign(model: ModelProto) -> Iterator[str]:
    if model.functions:
        yield "it defines functions of its own"
    for node in _nodes(model.graph):
        if node.domain not in _DOMAINS:
            yield f"operator {node.op_type} is of the domain {node.domain}; only ONNX's own are taken"
        if node.op_type in RANDOM_OPERATORS:
            yield f"{node.op_type} draws noise of its own; noise has to be an input"
    for constant in _constants(model.graph):
        for tensor in (constant.values, constant.indices) if isinstance(constant, SparseTensorProto) else (constant,):
            if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
                yield f"the tensor {tensor.name} lies outside of the file"


def _mismatched(graph: GraphProto, file: str, manifest: Manifest) -> Iterator[str]:
    """The graph's inputs and outputs against those of each operation that uses it."""
    if any(isinstance(value.name, bytes) for value in (*graph.input, *graph.output)):
        yield "the name of an input or output is not UTF-8"
    inputs = {value.name: value for value in graph.input}
    outputs = {tensor_name(value.name): value for value in graph.output}
    for name, operation in manifest.operations.items():
        if operation.graph != file:
            continue
        taken = (*manifest.inputs(name), *operation.noise, *operation.fill)
        for tensor in sorted(set(inputs) ^ set(taken)):
            yield f"{name} {'does not give' if tensor in inputs else 'gives'} the input {tensor}"
        for tensor in operation.outputs:
            if tensor not in outputs:
                yield f"{name} has no output {tensor}"
        for tensor in set(taken) & set(inputs):
            yield from _unlike(tensor, inputs[tensor], manifest, name, sampled=tensor in operation.noise)
        for tensor in set(operation.outputs) & set(outputs):
            yield from _unlike(tensor, outputs[tensor], manifest, name, sampled=True)


def _unlike(
    tensor: str, value: ValueInfoProto, manifest: Manifest, name: OperationName, *, sampled: bool
) -> Iterator[str]:
    """How a tensor differs in type or shape; the batch axis must be free, and with noise the samples axis too."""
    expected_type = TensorProto.INT64 if tensor in _INT64_INPUTS else TensorProto.FLOAT
    if value.type.tensor_type.elem_type != expected_type:
        yield f"{tensor} is not {TensorProto.DataType.Name(expected_type).lower()}"
    samples = "samples" if manifest.operations[name].noise else 1
    free = ("batch", samples) if sampled and name in SAMPLED else ("batch",)
    needed = [*free, *manifest.shape(name, tensor)]
    found = [axis.dim_value or axis.dim_param for axis in value.type.tensor_type.shape.dim]
    if list(map(_size, found)) != list(map(_size, needed)):
        yield f"{tensor} has shape {found}, {name} needs {needed}"


def _size(axis: int | str) -> int | None:
    """None for a free axis, whatever its name."""
    return axis if isinstance(axis, int) else None


def _depth(graph: GraphProto) -> int:
    """Of graphs in graphs; protobuf itself refuses what is nested too deep for Python."""
    return 1 + max((_depth(inner) for node in graph.node for inner in _inner(node)), default=0)


def _nodes(graph: GraphProto) -> Iterator[NodeProto]:
    """All nodes, those of inner graphs included."""
    for node in graph.node:
        yield node
        for inner in _inner(node):
            yield from _nodes(inner)


def _constants(graph: GraphProto) -> Iterator[TensorProto | SparseTensorProto]:
    """All constants, wherever they stand."""
    yield from (*graph.initializer, *graph.sparse_initializer)
    for node in graph.node:
        for attribute in node.attribute:
            yield from (*attribute.tensors, *attribute.sparse_tensors)
            if attribute.HasField("t"):
                yield attribute.t
            if attribute.HasField("sparse_tensor"):
                yield attribute.sparse_tensor
        for inner in _inner(node):
            yield from _constants(inner)


def _inner(node: NodeProto) -> Iterator[GraphProto]:
    for attribute in node.attribute:
        if attribute.HasField("g"):
            yield attribute.g
        yield from attribute.graphs
