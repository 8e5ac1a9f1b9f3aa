"""A loaded graph has proved on its golden rows that it computes the model."""

import numpy as np
import pytest

from models import golden
from models.errors import BundleError
from models.golden import GoldenRows
from models.manifest import OPERATIONS
from models.repository import read_bundle
from service.graph import Graph, GraphFailed, Stop
from service.loading import load, warm
from tests import tiny_bundle

CPU = "CPUExecutionProvider"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(tiny_bundle.publish(tmp_path_factory.mktemp("loading")))


def with_rows(bundle, change):
    """The bundle with golden rows that `change(rows by operation)` has changed."""
    content = bundle.files["golden.safetensors"]
    rows = {name: golden.unpack(content, name) for name in bundle.manifest.operations}
    change(rows)
    return bundle._replace(files={**bundle.files, "golden.safetensors": golden.pack(rows)})


def test_one_graph_is_loaded_per_file(bundle):
    graphs = load(bundle, CPU)
    files = ["complete.onnx", "criticize.onnx", "decode.onnx", "encode.onnx", "score.onnx"]
    assert sorted(graphs) == files


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize(("error", "is_loaded"), [(5e-6, True), (1e-3, False), (np.nan, False), (np.inf, False)])
def test_numbers_beyond_the_tolerance_are_refused(bundle, operation, error, is_loaded):
    def disturb(rows):
        next(iter(rows[operation].outputs.values())).ravel()[-1:] += np.float32(error)

    disturbed = with_rows(bundle, disturb)
    if is_loaded:
        assert load(disturbed, CPU)
    else:
        with pytest.raises(BundleError, match=f"^{operation}: .* is not what was computed when the bundle was made"):
            load(disturbed, CPU)


def _drop_output(rows):
    del rows["encode"].outputs["mean"]


def _drop_operation(rows):
    del rows["encode"]


def _drop_input(rows):
    del rows["encode"].inputs["epsilon"]


def _add_input(rows):
    rows["encode"].inputs["more"] = np.zeros(3, np.float32)


def _shorten_output(rows):
    rows["encode"].outputs["z"] = rows["encode"].outputs["z"][:2]


def _widen_input(rows):
    rows["encode"].inputs["epsilon"] = np.zeros((3, 3), np.float32)


def _retype_input(rows):
    rows["encode"].inputs["x"] = rows["encode"].inputs["x"].astype(np.float64)


def _make_scalar(rows):
    rows["encode"] = GoldenRows(rows["encode"].inputs, dict.fromkeys(rows["encode"].outputs, np.float32(0)))


def _empty(rows):
    inputs, outputs = ({name: array[:0] for name, array in arrays.items()} for arrays in rows["encode"])
    rows["encode"] = GoldenRows(inputs, outputs)


@pytest.mark.parametrize(
    "change",
    [
        _drop_output,
        _drop_operation,
        _drop_input,
        _add_input,
        _shorten_output,
        _widen_input,
        _retype_input,
        _make_scalar,
        _empty,
    ],
    ids=lambda change: change.__name__,
)
def test_golden_rows_that_prove_nothing_are_refused(bundle, change):
    with pytest.raises(BundleError, match="encode"):
        load(with_rows(bundle, change), CPU)


def test_filled_inputs_are_given_to_the_graph(bundle):
    """`complete` with its mask filled with ones keeps x, and with zeros draws all of it."""
    rows = golden.unpack(bundle.files["golden.safetensors"], "complete")
    x = rows.inputs["x"]
    for value, expected in ((1, x), (0, rows.inputs["pixel"] + tiny_bundle.PIXELS.reshape(2, 2) > 0)):
        filled = bundle.manifest.operations["complete"].model_copy(update={"fill": {"mask": value}})
        fields = {"operations": {**bundle.manifest.operations, "complete": filled}}

        def fill(rows, expected=expected):
            del rows["complete"].inputs["mask"]
            rows["complete"].outputs["x"] = expected.astype(np.float32)

        changed = with_rows(bundle, fill)._replace(manifest=bundle.manifest.model_copy(update=fields))
        assert load(changed, CPU)


def test_graph_of_what_is_not_onnx_is_refused():
    with pytest.raises(BundleError, match="ONNX Runtime refuses the graph"):
        Graph(b"graph", CPU)


@pytest.mark.parametrize(
    "feeds", [{}, {"z": np.zeros((1, 2), np.float32)}, {"z": np.zeros((1, 3), np.float32), "pixel": np.zeros(1)}]
)
def test_run_on_inputs_that_do_not_fit_fails_as_one_error(bundle, feeds):
    with pytest.raises(GraphFailed):
        Graph(bundle.files["decode.onnx"], CPU).run(feeds, ["x"])


def test_run_that_was_stopped_fails(bundle):
    stop = Stop()
    assert [stop.set(), stop.set()] == [True, False]
    rows = golden.unpack(bundle.files["golden.safetensors"], "decode")
    with pytest.raises(GraphFailed):
        Graph(bundle.files["decode.onnx"], CPU).run(rows.inputs, ["x"], stop)


@pytest.mark.parametrize("loops", [False, True])
def test_graph_tells_whether_it_loops(tmp_path, loops):
    bundle = read_bundle(tiny_bundle.publish(tmp_path, loops=loops))
    assert {file: loaded.graph.loops for file, loaded in load(bundle, CPU).items()} == {
        file: loops and file == "decode.onnx" for file in bundle.manifest.graphs
    }


def test_time_of_a_row_is_measured(bundle):
    assert all(loaded.seconds_per_row > 0 for loaded in load(bundle, CPU).values())


class Slow:
    """A row takes a second the first time that so many are run, and a hundredth of one from then on."""

    def __init__(self, monkeypatch):
        self.ran = []
        self.clock = 0.0
        monkeypatch.setattr("service.loading.time.perf_counter", lambda: self.clock)

    def run(self, feeds, outputs, stop=None):
        rows = len(feeds["z"])
        self.clock += rows * (0.01 if rows in self.ran else 1.0)
        self.ran.append(rows)
        return dict.fromkeys(outputs, np.zeros(rows))


@pytest.mark.parametrize(("longest", "fitting", "ran"), [(np.inf, 12, [1, 2, 4, 8, 16]), (0.05, 4, [1, 2, 4, 8])])
def test_warm_graph_tells_how_many_rows_a_run_takes_and_how_long_each(monkeypatch, bundle, longest, fitting, ran):
    graph = Slow(monkeypatch)
    assert warm(bundle, graph, "decode", 12, longest) == (fitting, pytest.approx(0.01))
    assert graph.ran == [rows for rows in ran for _ in range(2)]


def test_a_single_row_may_take_as_long_as_it_does(monkeypatch, bundle):
    assert warm(bundle, Slow(monkeypatch), "decode", 12, 0.001) == (1, pytest.approx(0.01))
