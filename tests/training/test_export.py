"""What is exported is a pure function, computes what PyTorch computes, and tells nothing of the machine."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto

import training
from models.manifest import SAMPLED
from tests.training.conftest import MEMBERS, build, examples
from training.adversarial import Adversarial
from training.errors import ExportError
from training.export import TOLERANCE, export
from training.families.autoencoder import Autoencoder
from training.family import Function
from training.trial import Trial


class Encoder(Autoencoder):
    """An autoencoder whose export is its encoder alone."""

    def operations(self):
        return {"encode": Function(self.encode)}


def untrained(kind):
    honest = build("autoencoder", "bernoulli")
    return kind(honest.options, honest.example, honest.shape)


@pytest.mark.parametrize(
    ("draw", "operator"),
    [(torch.randn_like, "RandomNormalLike"), (torch.rand_like, "RandomUniformLike"), (torch.bernoulli, "Bernoulli")],
)
def test_hidden_noise_is_refused(draw, operator):
    class Leaky(Encoder):
        def encode(self, x):
            z = self.encoder(x)
            return {"z": z + draw(torch.sigmoid(z))}

    with pytest.raises(ExportError, match=rf"encode: the graph draws its own noise \({operator}\)"):
        export(untrained(Leaky), examples("bernoulli"))


def test_graph_that_computes_something_else_is_refused():
    class Fickle(Encoder):
        calls = 0

        def encode(self, x):
            Fickle.calls += 1
            return {"z": self.encoder(x) + Fickle.calls}

    with pytest.raises(ExportError, match=r"encode: z differs by up to \d"):
        export(untrained(Fickle), examples("bernoulli"))


def test_graph_of_another_shape_is_refused():
    class Shifty(Encoder):
        def encode(self, x):
            z = self.encoder(x)
            return {"z": z.unsqueeze(1) if torch.onnx.is_in_onnx_export() else z}

    with pytest.raises(ExportError, match=r"encode: z has shape \(1, 1, 2\) in the graph, \(1, 2\) in PyTorch"):
        export(untrained(Shifty), examples("bernoulli"))


def test_weights_beyond_half_precision_are_refused():
    family = build("autoencoder", "bernoulli")
    next(family.decoder.parameters()).data[0, 0] = 7e4
    with pytest.raises(ExportError, match=r"decoder\..*weight holds weights beyond half precision"):
        export(family, examples("bernoulli"))


@pytest.mark.parametrize("member", MEMBERS)
def test_matrices_are_rounded_and_vectors_are_not(exports, member):
    rounded = {
        parameter.dim() > 1: torch.equal(parameter, parameter.half().float())
        for parameter in _network(exports(member).family).parameters()
    }
    assert rounded == {True: True, False: False}


@pytest.mark.parametrize("member", MEMBERS)
def test_graphs_tell_nothing_of_the_machine(exports, member):
    places = {
        sys.prefix,
        sys.base_prefix,
        str(Path(training.__file__).parents[1]),
        str(Path.home()),
        "site-packages",
    }
    for content in exports(member).export.graphs.values():
        assert not [place for place in places if place.encode() in content]
        model = onnx.load_from_string(content)
        for graph in (model.graph, *_bodies(model.graph)):
            parts = (model, graph, *graph.node, *graph.input, *graph.output, *graph.initializer, *graph.value_info)
            assert not any(part.doc_string or part.metadata_props for part in parts)
        assert not model.functions


@pytest.mark.parametrize("member", MEMBERS)
def test_great_matrices_are_stored_in_half_precision(exports, member):
    graphs = [onnx.load_from_string(content).graph for content in exports(member).export.graphs.values()]
    tensors = [tensor for graph in graphs for tensor in graph.initializer]
    for tensor in tensors:
        great = np.prod(tensor.dims) >= 1024
        assert tensor.data_type != (TensorProto.FLOAT if great else TensorProto.FLOAT16), tensor.name
    assert any("_half" in tensor.name for tensor in tensors)


@pytest.mark.parametrize("member", MEMBERS)
@pytest.mark.parametrize(("rows", "samples"), [(1, 1), (2, 9), (30, 2)])
def test_graph_agrees_with_pytorch_at_every_batch_size(exports, member, rows, samples):
    family, _, exported = exports(member)
    assert exported.operations.keys() == family.operations().keys() - set(MEMBERS[member].keep_back)
    for name in exported.operations:
        function = family.operations()[name]
        trial = Trial(family, name, function, examples(MEMBERS[member].likelihood))
        inputs = trial.inputs(rows, samples)
        expected, computed = trial.compute(inputs), exported.run(name, inputs)
        assert set(computed) == set(trial.outputs)
        for output, value in computed.items():
            axes = (rows, samples if function.noise else 1) if name in SAMPLED else (rows,)
            assert value.shape[: len(axes)] == axes
            np.testing.assert_allclose(value, expected[output], rtol=TOLERANCE.relative, atol=TOLERANCE.absolute)


@pytest.mark.parametrize("member", MEMBERS)
def test_golden_rows_are_what_the_graphs_compute(exports, member):
    _, export_, exported = exports(member)
    assert set(export_.golden) == set(export_.operations)
    for name, rows in export_.golden.items():
        computed = exported.run(name, rows.inputs)
        assert set(rows.outputs) == set(export_.operations[name].outputs)
        for output, value in computed.items():
            np.testing.assert_allclose(value, rows.outputs[output], rtol=TOLERANCE.relative, atol=TOLERANCE.absolute)


def test_operations_of_one_method_share_a_graph(exports):
    operations = exports("vae-bernoulli").export.operations
    assert operations["sample"].graph == operations["decode"].graph
    assert operations["sample"].outputs == ("x", "mean", "z")
    assert operations["decode"].outputs == ("x", "mean")


def test_sample_of_a_learned_prior_is_a_graph_of_its_own_from_base_noise(exports):
    operations = exports("vae-learned-prior").export.operations
    assert operations["sample"].graph != operations["decode"].graph
    assert operations["sample"].noise == {"base": "normal", "pixel": "normal"}
    assert operations["sample"].outputs == ("x", "mean", "z")
    assert "kl_per_dimension" not in operations["encode"].outputs


@pytest.mark.parametrize("member", MEMBERS)
def test_label_is_an_input_of_the_conditional_alone(exports, member):
    _, export_, _ = exports(member)
    assert {operation.label for operation in export_.operations.values()} == {MEMBERS[member].conditional}
    for content in export_.graphs.values():
        types = {value.name: value.type.tensor_type.elem_type for value in onnx.load_from_string(content).graph.input}
        assert types.pop("label", None) == (TensorProto.INT64 if MEMBERS[member].conditional else None)
        assert set(types.values()) == {TensorProto.FLOAT}


def test_noise_that_is_an_output_comes_back_bit_for_bit(exports):
    exported = exports("vae-bernoulli").exported
    noise = exported.draw("sample", index=0, rows=5)
    assert exported.run("sample", noise)["z"].tobytes() == noise["z"].tobytes()


def _network(family):
    """What gives the parameters of x."""
    return family.generator if isinstance(family, Adversarial) else getattr(family, "decoder", family).network


def _bodies(graph):
    """The graphs inside a graph."""
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.GRAPH:
                yield attribute.g
                yield from _bodies(attribute.g)
