"""From a method of a family to the bytes of an ONNX file."""

import logging
import warnings
from collections.abc import Iterator

import numpy as np
import onnx
import torch
from onnx import GraphProto, ModelProto, TensorProto, helper, numpy_helper
from torch import Tensor, nn

from models.manifest import OUTPUT_SUFFIX
from models.noise import RANDOM_OPERATORS
from training.errors import ExportError
from training.trial import Trial

OPSET = 20

_STORED_AS_HALF = 1024  # weights with fewer elements are not worth a Cast

logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it reports every optional package that is not installed


def trace(trial: Trial) -> bytes:
    """The operation's method as an ONNX file with free batch and samples axes; ExportError if it draws noise itself."""
    inputs = trial.inputs(rows=3, samples=5)  # sizes of 0 and 1 would be baked in
    batch, samples = torch.export.Dim("batch"), torch.export.Dim("samples")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter's own use of deprecated parts
        program = torch.onnx.export(
            _Method(trial).eval(),
            tuple(torch.from_numpy(array) for array in inputs.values()),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=[f"{name}{OUTPUT_SUFFIX}" if name in inputs else name for name in trial.compute(inputs)],
            dynamic_shapes=(tuple({0: batch, 1: samples} if name in trial.sampled else {0: batch} for name in inputs),),
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    _refuse_randomness(trial, model)
    _strip(model)
    _store_as_half(model)
    onnx.checker.check_model(model)
    return model.SerializeToString()


class _Method(nn.Module):
    """A method as the module that the exporter takes; its parameters are the family's."""

    def __init__(self, trial: Trial) -> None:
        super().__init__()
        self.family = trial.family
        self.call = trial.function.call

    def forward(self, *inputs: Tensor) -> tuple[Tensor, ...]:
        return tuple(self.call(*inputs).values())


def _refuse_randomness(trial: Trial, model: ModelProto) -> None:
    for graph in _graphs(model.graph):
        for node in graph.node:
            if node.op_type in RANDOM_OPERATORS:
                raise ExportError(
                    f"{trial.name}: the graph draws its own noise ({node.op_type}); take noise as an argument and "
                    "name it in operations()"
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


def _graphs(graph: GraphProto) -> Iterator[GraphProto]:
    """A graph and all graphs inside it."""
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                if inner.node:
                    yield from _graphs(inner)
