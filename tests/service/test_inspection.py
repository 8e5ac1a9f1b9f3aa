"""A graph that is more than a pure function, or other than the manifest says, is refused."""

import onnx
import pytest
from onnx import TensorProto, helper

from models.errors import BundleError
from models.noise import RANDOM_OPERATORS
from models.repository import read_bundle
from service.inspection import inspect
from tests import tiny_bundle


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(tiny_bundle.publish(tmp_path_factory.mktemp("inspection"), conditional=True))


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    return read_bundle(tiny_bundle.publish(tmp_path_factory.mktemp("exact"), operations=["score"], exact=True))


def refusal(bundle, file, change):
    """What is said of a graph once it is changed."""
    model = onnx.load_model_from_string(bundle.files[file])
    change(model)
    with pytest.raises(BundleError, match=f"^{file}: ") as refused:
        inspect(model.SerializeToString(), file, bundle.manifest)
    return str(refused.value)


def test_whole_graphs_pass(bundle, exact):
    for whole in (bundle, exact):
        for file in whole.manifest.graphs:
            inspect(whole.files[file], file, whole.manifest)


@pytest.mark.parametrize("content", [b"graph", b"\xff" * 100])
def test_what_is_no_graph_is_refused(bundle, content):
    with pytest.raises(BundleError, match=r"^decode\.onnx"):
        inspect(content, "decode.onnx", bundle.manifest)


def _at_the_top(graph, node):
    graph.node.append(node)


def _in_a_branch(graph, node):
    branch = helper.make_graph([node], "branch", [], [])
    graph.node.append(helper.make_node("If", ["c"], ["o"], then_branch=branch, else_branch=branch))


def _in_a_loop(graph, node):
    graph.node.append(helper.make_node("Loop", ["n", "c"], ["o"], body=helper.make_graph([node], "body", [], [])))


def _in_a_loop_in_a_branch(graph, node):
    inner = helper.make_graph([], "branch", [], [])
    _in_a_loop(inner, node)
    graph.node.append(helper.make_node("If", ["c"], ["o"], then_branch=inner))


PLACES = pytest.mark.parametrize(
    "place", [_at_the_top, _in_a_branch, _in_a_loop, _in_a_loop_in_a_branch], ids=lambda place: place.__name__
)


@PLACES
@pytest.mark.parametrize("operator", sorted(RANDOM_OPERATORS))
def test_operator_that_draws_noise_is_refused_wherever_it_stands(bundle, place, operator):
    complaint = refusal(bundle, "decode.onnx", lambda model: place(model.graph, helper.make_node(operator, [], ["r"])))
    assert f"{operator} draws noise of its own" in complaint


@PLACES
def test_operator_of_a_foreign_domain_is_refused_wherever_it_stands(bundle, place):
    node = helper.make_node("Gelu", ["z"], ["r"], domain="com.microsoft")
    complaint = refusal(bundle, "decode.onnx", lambda model: place(model.graph, node))
    assert "Gelu is of the domain com.microsoft" in complaint


def _external():
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="../../secret")
    return tensor


def _sparse():
    return helper.make_sparse_tensor(_external(), helper.make_tensor("i", TensorProto.INT64, [1], [0]), [1])


@PLACES
@pytest.mark.parametrize("constant", [{"value": _external()}, {"sparse_value": _sparse()}], ids=lambda c: next(iter(c)))
def test_constant_outside_of_the_file_is_refused_wherever_it_stands(bundle, place, constant):
    node = helper.make_node("Constant", [], ["r"], **constant)
    complaint = refusal(bundle, "decode.onnx", lambda model: place(model.graph, node))
    assert "the tensor weights lies outside of the file" in complaint
    assert "secret" not in complaint


@pytest.mark.parametrize(
    "add", [lambda g: g.initializer.append(_external()), lambda g: g.sparse_initializer.append(_sparse())]
)
def test_weights_outside_of_the_file_are_refused(bundle, add):
    assert "the tensor weights lies outside" in refusal(bundle, "decode.onnx", lambda model: add(model.graph))


def test_functions_of_its_own_are_refused(bundle):
    def define(model):
        model.functions.append(helper.make_function("own", "f", [], [], [], []))

    assert "functions of its own" in refusal(bundle, "decode.onnx", define)


def _rename(kind, old, new):
    def change(model):
        (value,) = (value for value in getattr(model.graph, kind) if value.name == old)
        value.name = new

    return change


def _retype(kind, name, code):
    def change(model):
        (value,) = (value for value in getattr(model.graph, kind) if value.name == name)
        value.type.tensor_type.elem_type = code

    return change


def _reshape(kind, name, *axes):
    def change(model):
        (value,) = (value for value in getattr(model.graph, kind) if value.name == name)
        code = value.type.tensor_type.elem_type
        value.CopyFrom(helper.make_tensor_value_info(name, code, axes))

    return change


@pytest.mark.parametrize(
    ("file", "change", "complaint"),
    [
        ("decode.onnx", _rename("input", "pixel", "noise"), "sample does not give the input noise"),
        ("decode.onnx", _rename("input", "label", "y"), "sample gives the input label"),
        ("decode.onnx", _rename("output", "mean", "average"), "sample has no output mean"),
        ("encode.onnx", _rename("output", "z", "code"), "encode has no output z"),
        ("complete.onnx", _rename("output", "x_out", "y"), "complete has no output x"),
        ("decode.onnx", _retype("input", "z", TensorProto.DOUBLE), "z is not float"),
        ("decode.onnx", _retype("input", "label", TensorProto.INT32), "label is not int64"),
        ("decode.onnx", _retype("output", "x", TensorProto.BOOL), "x is not float"),
        ("decode.onnx", _reshape("input", "z", "batch", 3), "z has shape ['batch', 3], sample needs ['batch', 2]"),
        ("decode.onnx", _reshape("input", "z", 3, 2), "z has shape [3, 2]"),
        ("decode.onnx", _reshape("input", "z", "batch"), "z has shape ['batch']"),
        ("decode.onnx", _reshape("input", "z", "batch", "n"), "z has shape ['batch', 'n']"),
        ("decode.onnx", _reshape("output", "x", "batch", 4), "x has shape ['batch', 4]"),
        ("decode.onnx", _reshape("output", "x", 1, 2, 2), "x has shape [1, 2, 2]"),
        ("decode.onnx", _reshape("input", "label", "batch", 1), "label has shape ['batch', 1], sample needs ['batch']"),
        ("score.onnx", _reshape("input", "epsilon", "batch", 2), "epsilon has shape ['batch', 2]"),
        ("score.onnx", _reshape("input", "epsilon", "batch", 5, 2), "score needs ['batch', 'samples', 2]"),
        ("score.onnx", _reshape("output", "log_weight", "batch"), "score needs ['batch', 'samples']"),
        ("score.onnx", _reshape("output", "log_weight", "batch", 1), "score needs ['batch', 'samples']"),
    ],
)
def test_tensor_other_than_the_manifest_says_is_refused(bundle, file, change, complaint):
    assert complaint in refusal(bundle, file, change)


def test_exact_score_has_one_sample(exact):
    change = _reshape("output", "log_weight", "batch", 2)
    assert "log_weight has shape ['batch', 2], score needs ['batch', 1]" in refusal(exact, "score.onnx", change)


def test_names_of_the_free_axes_do_not_matter(bundle):
    model = onnx.load_model_from_string(bundle.files["score.onnx"])
    _reshape("input", "epsilon", None, "k", 2)(model)
    inspect(model.SerializeToString(), "score.onnx", bundle.manifest)
