"""A manifest that contradicts itself is refused, and says where."""

import copy
import functools
import json
import re
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.errors import BundleError
from models.manifest import OPERATIONS, SIGNATURES, Example, Manifest
from models.repository import parse_manifest
from tests import tiny_bundle

REMOVE = object()
EMPTY = {"sha256": "0" * 64, "bytes": 0}


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """A whole manifest as plain JSON values."""
    folder = tiny_bundle.publish(tmp_path_factory.mktemp("repository"), conditional=True)
    return json.loads((folder / "manifest.json").read_text())


def changed(written, place, value):
    """A copy in which the value at a place is another, or gone."""
    content = copy.deepcopy(written)
    *parents, key = place
    part = content
    for parent in parents:
        part = part[parent]
    if value is REMOVE:
        del part[key]
    else:
        part[key] = value
    return content


def test_every_operation_has_a_signature():
    assert set(OPERATIONS) == set(SIGNATURES)


def test_manifest_comes_back_from_json_as_it_was(written):
    manifest = Manifest.model_validate(written)
    assert Manifest.model_validate_json(manifest.model_dump_json()) == manifest
    assert json.loads(manifest.model_dump_json(exclude_none=True)) == written


def test_manifest_cannot_be_changed(written):
    manifest = Manifest.model_validate(written)
    with pytest.raises(ValidationError, match="frozen"):
        manifest.version = 2
    with pytest.raises(ValidationError, match="frozen"):
        manifest.operations["sample"].label = False


def complaint(kind, content):
    """The place and the message of the only thing that is wrong."""
    with pytest.raises(ValidationError) as caught:
        kind.model_validate(content)
    (error,) = caught.value.errors()
    return f"{'.'.join(map(str, error['loc']))}: {error['msg']}"


@pytest.mark.parametrize(
    "place", ["", "x", "operations sample", "digests card.md", "golden", "calibration", "provenance figures elbo"]
)
def test_unknown_key_is_refused_with_its_place(written, place):
    path = [*place.split(), "surprise"]
    assert complaint(Manifest, changed(written, path, 1)) == f"{'.'.join(path)}: Extra inputs are not permitted"


@pytest.mark.parametrize(
    ("place", "value", "expected"),
    [
        ("name", "../tiny", "name: String should match pattern"),
        ("name", "Tiny", "name: String should match pattern"),
        ("version", 0, "version: Input should be greater than or equal to 1"),
        ("format", 2, "format: Input should be 1"),
        ("operations sample graph", "../decode.onnx", "operations.sample.graph: String should match pattern"),
        ("operations sample noise z", "uniform", "operations.sample.noise.z: Input should be 'normal'"),
        ("operations sing", {"graph": "a.onnx", "outputs": []}, "operations.sing.[key]: Input should be 'sample'"),
        ("shapes z", [0], "shapes.z.0: Input should be greater than or equal to 1"),
        ("golden absolute", float("inf"), "golden.absolute: Input should be a finite number"),
        ("digests card.md sha256", "0" * 63, "digests.card.md.sha256: String should match pattern"),
        ("digests manifest.json", {"sha256": "0" * 64, "bytes": 1}, "digests.manifest.json.[key]: String should"),
        ("calibration quantiles", [0.0] * 100, "calibration.quantiles: Tuple should have at least 101 items"),
    ],
)
def test_value_of_the_wrong_form_is_refused_with_its_place(written, place, value, expected):
    assert complaint(Manifest, changed(written, place.split(), value)).startswith(expected)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"operations": {}, "absent": dict.fromkeys(OPERATIONS, "why")}, "a model without any operation"),
        ({"operations sample": REMOVE}, "each operation is either present or absent with a reason"),
        ({"absent": {"sample": "why"}}, "each operation is either present or absent with a reason"),
        ({"operations decode outputs": ["mean"]}, "decode lacks the output x"),
        ({"shapes log_variance": REMOVE}, "no shape is given for log_variance of encode"),
        ({"shapes mask": REMOVE}, "no shape is given for mask of complete"),
        ({"shapes x": REMOVE}, "no shape is given for x"),
        ({"operations sample outputs": ["x", "mean"]}, "sample gives z where the model can decode"),
        ({"operations score fill": {"heat": 0}}, "no shape is given for heat of score"),
        ({"labels": []}, "sample takes a label, but no labels are named"),
        ({"order": [0, 1, 1, 3]}, "order is not a permutation of the values of x"),
        ({"realness_kind": REMOVE}, "realness_kind goes with criticize"),
        ({"operations criticize": REMOVE, "absent": {"criticize": "why"}}, "realness_kind goes with criticize"),
        ({"operations score": REMOVE, "absent": {"score": "why"}}, "calibration goes with score"),
        ({"digests golden.safetensors": REMOVE}, "no digest is given for golden.safetensors"),
        ({"digests score.onnx": REMOVE}, "no digest is given for score.onnx"),
        ({"digests": {f"f{n}.md": EMPTY for n in range(65)}}, "there are 65 files; 64 are allowed"),
        (
            {"digests card.md bytes": 2**40},
            "the files have 1,099,511,63.,... bytes together; 1,073,741,824 are allowed",
        ),
        ({"shapes x": [2**13, 2**13], "order": [0]}, "one x has 67,108,864 values; 16,777,216 are allowed"),
        ({"shapes z": [2**64]}, "one z has 18,446,744,073,709,551,616 values; 16,777,216 are allowed"),
    ],
)
def test_contradiction_is_refused(written, changes, expected):
    for place, value in changes.items():
        written = changed(written, place.split(), value)
    assert re.fullmatch(f": Value error, {expected}", complaint(Manifest, written))


@pytest.mark.parametrize(
    ("support", "range_", "expected"),
    [
        ("binary", None, "support binary needs a range"),
        ("levels", None, "support levels needs a range"),
        ("real", (1, 1), "a range goes from its lower to its higher end"),
        ("binary", (0, 2), "support binary has the range 0 to 1"),
        ("levels", (0, 16.5), "levels are whole numbers, and so are the ends of their range"),
    ],
)
def test_range_that_does_not_fit_the_support_is_refused(support, range_, expected):
    content = {"kind": "vector", "support": support, "range": range_}
    assert complaint(Example, content) == f": Value error, {expected}"


@pytest.mark.parametrize(("support", "range_"), [("binary", (0, 1)), ("levels", (0, 16)), ("real", None)])
def test_range_that_fits_the_support_is_taken(support, range_):
    assert Example(kind="vector", support=support, range=range_).range == range_


def test_graphs_are_named_once_each(written):
    graphs = Manifest.model_validate(written).graphs
    assert graphs == ("decode.onnx", "encode.onnx", "score.onnx", "complete.onnx", "criticize.onnx")


def test_label_is_a_data_input_where_an_operation_takes_it(written):
    manifest = Manifest.model_validate(written)
    assert manifest.inputs("sample") == ("label",)
    assert manifest.inputs("decode") == ("z", "label")
    assert manifest.inputs("complete") == ("x", "mask")


def test_shape_of_an_operation_goes_before_the_shape_of_all(written):
    content = changed(written, ["shapes", "score.z"], [])
    manifest = Manifest.model_validate(content)
    found = [manifest.shape(*tensor) for tensor in (("encode", "mean"), ("decode", "mean"), ("score", "z"))]
    assert found == [(2,), (2, 2), ()]
    assert manifest.shape("decode", "label") == ()


@pytest.mark.parametrize(("levels", "passes"), [(16, True), (17, False), (100, False)])
def test_recipe_is_nested_no_deeper_than_answers_can_tell(written, levels, passes):
    recipe = functools.reduce(lambda inner, _: {"": inner}, range(levels), 0)
    content = changed(written, ["provenance", "recipe"], recipe)
    if passes:
        assert Manifest.model_validate(content)
    else:
        assert complaint(Manifest, content).endswith("a recipe is at most 16 levels deep")


NAMES = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,63}", fullmatch=True)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | FINITE | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=10,
)
FIGURE = {"value": FINITE, "std_error": st.none() | FINITE, "unit": TEXT, "split": TEXT, "examples": st.integers(1)}
VALUES = {
    "name": NAMES,
    "version": st.integers(1, 999_999_999),
    "family": TEXT,
    "title": TEXT,
    "labels": st.lists(TEXT, min_size=1, max_size=5),
    "order": st.permutations(range(4)),
    "operations sample fill mask": FINITE,
    "golden absolute": FINITE,
    "calibration quantiles": st.lists(FINITE, min_size=101, max_size=101),
    "provenance recipe": st.dictionaries(TEXT, JSON, max_size=3),
    "provenance figures": st.dictionaries(TEXT, st.fixed_dictionaries(FIGURE), max_size=3),
    "provenance other_seeds": st.dictionaries(TEXT, st.lists(FINITE, max_size=3), max_size=3),
    "provenance commit": st.none() | TEXT,
    "digests report.html": st.fixed_dictionaries(
        {"sha256": st.from_regex(r"[0-9a-f]{64}", fullmatch=True), "bytes": st.integers(0, 2**20)}
    ),
}


@settings(max_examples=30)
@given(data=st.data())
def test_manifest_comes_back_from_its_bytes_whatever_it_says(written, data):
    content = written
    for place in data.draw(st.sets(st.sampled_from(sorted(VALUES)), min_size=1)):
        content = changed(content, place.split(), data.draw(VALUES[place]))
    manifest = Manifest.model_validate(content)
    assert parse_manifest(manifest.model_dump_json(exclude_none=True).encode()) == manifest


@settings(max_examples=100)
@given(data=st.data())
def test_nonsense_anywhere_in_a_manifest_is_refused_as_a_bad_bundle(written, data):
    places = [place.split() for place in VALUES if place != "operations sample fill mask"]
    content = changed(written, data.draw(st.sampled_from(places)), data.draw(JSON))
    with suppress(BundleError):
        assert parse_manifest(json.dumps(content).encode())


@settings(max_examples=100)
@given(content=st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_what_is_no_manifest_is_refused_as_a_bad_bundle(content):
    with pytest.raises(BundleError, match=r"^manifest\.json, "):
        parse_manifest(content)


@pytest.mark.parametrize(
    "content",
    [b"[" * 10**5, b'{"a":' * 10**5, b"9" * 10**5, b'"\\ud800"', b"\xef\xbb\xbf{}", b"NaN", b"", b'{"name": "\xff"}'],
)
def test_hostile_json_is_refused_as_a_bad_bundle(content):
    with pytest.raises(BundleError, match=r"^manifest\.json, "):
        parse_manifest(content)
