"""A graph that is more than a pure function, or other than the manifest says, is refused."""

import numpy as np
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


def _external(location="../../secret"):
    tensor = TensorProto(name="weights", data_type=TensorProto.FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value=location)
    return tensor


def _sparse(location="../../secret"):
    return helper.make_sparse_tensor(_external(location), helper.make_tensor("i", TensorProto.INT64, [1], [0]), [1])


@pytest.fixture(scope="module")
def secret(tmp_path_factory):
    """A folder from which a secret can be reached in six ways."""
    folder = tmp_path_factory.mktemp("outside")
    (folder / "secret").write_bytes(np.float32([42]).tobytes())
    bundle = folder / "bundle"
    (bundle / "sub").mkdir(parents=True)
    (bundle / "link").symlink_to(folder / "secret")
    (bundle / "folder").symlink_to(folder)
    (bundle / "hard").hardlink_to(folder / "secret")
    return bundle


@pytest.mark.parametrize("where", ["../secret", "{}/../secret", "sub/../../secret", "link", "folder/secret", "hard"])
@pytest.mark.parametrize(
    "add",
    [
        lambda graph, location: graph.initializer.append(_external(location)),
        lambda graph, location: graph.sparse_initializer.append(_sparse(location)),
        lambda graph, location: _at_the_top(graph, helper.make_node("Constant", [], ["r"], value=_external(location))),
        lambda graph, location: _in_a_branch(graph, helper.make_node("Constant", [], ["r"], value=_external(location))),
    ],
    ids=["initializer", "sparse", "constant", "in a branch"],
)
def test_no_way_out_of_the_file_is_taken(bundle, secret, monkeypatch, where, add):
    monkeypatch.chdir(secret)
    location = where.format(secret)
    complaint = refusal(bundle, "decode.onnx", lambda model: add(model.graph, location))
    assert complaint == "decode.onnx: the tensor weights lies outside of the file"


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


def _nested(depth):
    """Graphs in graphs, two in each."""
    graph = helper.make_graph([], "innermost", [], [])
    for _ in range(depth - 2):
        node = helper.make_node("If", ["c"], ["o"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "outer", [], [])
    return helper.make_node("If", ["c"], ["o"], then_branch=graph, else_branch=graph)


@pytest.mark.parametrize("depth", [9, 12])
def test_graphs_nested_deeply_are_refused(bundle, depth):
    complaint = refusal(bundle, "decode.onnx", lambda model: _at_the_top(model.graph, _nested(depth)))
    assert f"graphs lie in graphs {depth} deep; 8 are allowed" in complaint


def test_graphs_nested_less_deeply_pass(bundle):
    model = onnx.load_model_from_string(bundle.files["decode.onnx"])
    _at_the_top(model.graph, _nested(8))
    inspect(model.SerializeToString(), "decode.onnx", bundle.manifest)


def test_graphs_nested_too_deeply_to_be_read_are_refused(bundle):
    graph = b""
    for _ in range(200):  # field 1 of a graph is a node, field 5 of a node an attribute, field 6 of that a graph
        graph = _field(1, _field(5, _field(6, graph)))
    content = _field(7, graph)
    with pytest.raises(BundleError, match=r"decode\.onnx is not an ONNX file"):
        inspect(content, "decode.onnx", bundle.manifest)


def _field(number, content):
    """A field of protobuf that holds bytes or a message."""
    size, length = len(content), bytearray()
    while size > 127:
        length.append(size & 127 | 128)
        size >>= 7
    return bytes([number << 3 | 2, *length, size]) + content


def test_too_many_operators_are_refused(bundle):
    def repeat(model):
        for _ in range(10_000):
            model.graph.node.add(op_type="Identity")

    assert "operators; 10,000 are allowed" in refusal(bundle, "decode.onnx", repeat)


@pytest.mark.parametrize("place", ["dense", "sparse", "constant"])
def test_constants_larger_than_the_file_are_refused(bundle, place):
    """What a shape promises is made room for, whether or not the numbers are there."""
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**20, 2**20])
    index = helper.make_tensor("i", TensorProto.INT64, [1], [0])
    sparse = helper.make_sparse_tensor(helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0]), index, [2**20, 2**20])

    def add(model):
        if place == "dense":
            model.graph.initializer.append(tensor)
        elif place == "sparse":
            model.graph.sparse_initializer.append(sparse)
        else:
            _in_a_branch(model.graph, helper.make_node("Constant", [], ["r"], value=tensor))

    assert "numbers; 268,435,456 are allowed" in refusal(bundle, "decode.onnx", add)


def test_name_that_is_not_text_is_refused(bundle):
    content = bundle.files["decode.onnx"].replace(b"pixel", b"p\xffxel")
    with pytest.raises(BundleError, match="the name of an input or output is not UTF-8"):
        inspect(content, "decode.onnx", bundle.manifest)


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
