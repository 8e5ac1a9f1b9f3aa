"""What a graph is run on, and how; what a GPU does with it is not told here."""

import numpy as np
import onnxruntime
import pytest

from models import golden
from models.errors import BundleError
from models.repository import read_bundle
from service import assembly, graph, loading
from service.assembly import assemble
from service.jobs import buckets
from service.loading import load
from service.metrics import Metrics
from service.settings import Settings
from service.workers import Workers
from tests import tiny_bundle

CPU, CUDA = "CPUExecutionProvider", "CUDAExecutionProvider"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return read_bundle(tiny_bundle.publish(tmp_path_factory.mktemp("graph")))


class CudaGraph(graph.Graph):
    """A graph as on CUDA, but on the CPU; `made` notes what each was asked for."""

    made = []
    ran = []

    def __init__(self, content, provider, threads=1, *, loops=False, tf32=False):
        super().__init__(content, CPU, threads, loops=loops, tf32=tf32)
        self.has_buckets = provider == CUDA
        self.tf32 = tf32
        self.made.append((provider, tf32))

    def run(self, feeds, outputs, stop=None):
        self.ran.append(len(next(iter(feeds.values()))))
        return super().run(feeds, outputs, stop)


@pytest.fixture
def as_if_cuda(monkeypatch):
    monkeypatch.setattr(loading, "Graph", CudaGraph)
    monkeypatch.setattr(CudaGraph, "made", [])
    monkeypatch.setattr(CudaGraph, "ran", [])
    return CudaGraph


def test_bytes_in_another_format_than_was_inspected_are_refused(bundle, tmp_path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.optimized_model_filepath = str(tmp_path / "other.ort")
    options.add_session_config_entry("session.save_model_format", "ORT")
    onnxruntime.InferenceSession(bundle.files["decode.onnx"], options, providers=["CPUExecutionProvider"])
    content = (tmp_path / "other.ort").read_bytes()
    assert onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"]).get_inputs()
    with pytest.raises(BundleError, match="ONNX Runtime refuses the graph"):
        graph.Graph(content, "CPUExecutionProvider")


def test_the_cpu_takes_no_options():
    assert graph.providers(CPU, tf32=False) == [CPU]


@pytest.mark.parametrize(("tf32", "said"), [(False, "0"), (True, "1")])
def test_cuda_is_asked_for_heuristics_a_bounded_arena_and_tf32_as_told(tf32, said):
    (name, options), other = graph.providers(CUDA, tf32=tf32)
    assert (name, other) == (CUDA, CPU)
    assert options == {
        "use_tf32": said,
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "gpu_mem_limit": "4294967296",
    }


def test_bound_runs_give_what_plain_ones_give(bundle):
    session = onnxruntime.InferenceSession(bundle.files["decode.onnx"], providers=[CPU])
    rows = golden.unpack(bundle.files["golden.safetensors"], "decode")
    names = ["mean", "x"]
    plain = graph.run_plain(session, names, rows.inputs, None)
    bound = graph.run_bound(session, names, rows.inputs, onnxruntime.RunOptions(), device="cpu")
    assert all(np.array_equal(one, other) for one, other in zip(plain, bound, strict=True))


def test_cpu_never_asks_for_tf32(bundle, as_if_cuda):
    load(bundle, CPU)
    assert set(as_if_cuda.made) == {(CPU, False)}


def test_tf32_is_kept_where_the_golden_numbers_hold_with_it(bundle, as_if_cuda):
    assert {loaded.graph.tf32 for loaded in load(bundle, CUDA).values()} == {True}


def test_tf32_is_left_where_they_do_not(bundle, as_if_cuda, monkeypatch):
    prove = loading.prove

    def refuse(bundle, name, proved, seconds):
        if proved.tf32 and name == "score":
            raise BundleError("other numbers")
        return prove(bundle, name, proved, seconds)

    monkeypatch.setattr(loading, "prove", refuse)
    assert {loaded.graph.tf32 for loaded in load(bundle, CUDA).values()} == {False}


@pytest.mark.parametrize(("most", "sizes"), [(1, [1]), (2, [1, 2]), (5, [1, 2, 4, 8]), (8, [1, 2, 4, 8])])
def test_buckets_are_powers_of_two(most, sizes):
    assert buckets(most) == sizes


@pytest.mark.parametrize(("provider", "sizes"), [(CUDA, {1, 2, 3, 4, 8}), (CPU, {3})])
async def test_every_bucket_has_been_run_before_a_model_serves(bundle, as_if_cuda, provider, sizes):
    """The golden rows are three."""
    workers = Workers(1)
    assemble(bundle, provider, workers, Metrics(), Settings(batch_rows=8))
    workers.close()
    assert set(as_if_cuda.ran) == sizes


def test_run_on_a_gpu_is_no_larger_than_one_that_calls_share(bundle):
    loaded = load(bundle, CPU)["decode.onnx"]
    loaded.graph.has_buckets = True
    assert assembly._pace(bundle, "decode.onnx", loaded, 1024).batch_rows == 256


@pytest.mark.parametrize(("seconds", "rows"), [(1e-6, 256), (0.5 / 16.5, 16), (0.4, 1), (100, 1)])
def test_batch_of_a_graph_that_loops_lasts_half_a_second(bundle, seconds, rows):
    graphs = load(bundle, CPU)["decode.onnx"].graph
    assert assembly._pace(bundle, "decode.onnx", loading.Loaded(graphs, seconds), 256).batch_rows == 256
    graphs.loops = True
    assert assembly._pace(bundle, "decode.onnx", loading.Loaded(graphs, seconds), 256).batch_rows == rows
