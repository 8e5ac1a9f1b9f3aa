"""One ONNX file as a function; the only file that knows ONNX Runtime."""

import ctypes
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Timer
from typing import Any, Literal

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import TensorProto, helper
from onnxruntime.capi import onnxruntime_pybind11_state as failures

from models.errors import BundleError, ReparamError
from models.manifest import OUTPUT_SUFFIX

Arrays = dict[str, NDArray[Any]]
Provider = Literal["CUDAExecutionProvider", "CPUExecutionProvider"]

_REFUSALS = (
    failures.EPFail,
    failures.Fail,
    failures.InvalidArgument,
    failures.InvalidGraph,
    failures.InvalidProtobuf,
    failures.NotImplemented,
    failures.RuntimeException,
)
_FATAL = 4

_ARENA_BYTES = 4 * 2**30  # of device memory for one graph

_log = logging.getLogger("reparam")


class GraphFailed(ReparamError):
    """A run that ONNX Runtime gave up, or that was stopped."""


class Stop:
    """Stops the run that it was given to, from any thread."""

    def __init__(self) -> None:
        self.options = onnxruntime.RunOptions()

    @property
    def is_set(self) -> bool:
        return bool(self.options.terminate)

    def set(self) -> bool:
        """Whether it was not set before."""
        first = not self.is_set
        self.options.terminate = True
        return first

    @contextmanager
    def after(self, seconds: float) -> Iterator[None]:
        """Within it, the run is stopped when it has taken so long."""
        timer = Timer(seconds, self.set)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()


class DeviceMissing(ReparamError):
    """A device that was asked for by name and is not there."""


class Graph:
    """A loaded graph; `run` may be called from several threads.

    `loops`: how long a run takes is up to the data. `has_buckets`: it is to be run on powers of two of rows.
    `is_steady`: how long a run takes is known from those before, and nothing but the processor is waited for.
    """

    def __init__(
        self, content: bytes, provider: Provider, threads: int = 1, *, loops: bool = False, tf32: bool = False
    ) -> None:
        self.loops = loops
        self.has_buckets = provider == "CUDAExecutionProvider"
        self.is_steady = provider == "CPUExecutionProvider" and not loops
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Pinned: the optimization level decides which kernels run, and with that the last bits.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.log_severity_level = _FATAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        # Else bytes that are ONNX to whoever inspected them could be another graph, in ONNX Runtime's own format.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=providers(provider, tf32=tf32))
        except _REFUSALS as error:
            raise BundleError("ONNX Runtime refuses the graph") from error
        if provider not in self._session.get_providers():
            raise BundleError(f"ONNX Runtime does not start the graph on {provider}")
        self._names = {tensor_name(output.name): output.name for output in self._session.get_outputs()}
        self._run = run_bound if self.has_buckets else run_plain

    def run(self, feeds: Arrays, outputs: Sequence[str], stop: Stop | None = None) -> Arrays:
        """The named outputs; GraphFailed if the inputs do not fit the graph, or its arithmetic the machine."""
        try:
            values = self._run(self._session, [self._names[name] for name in outputs], feeds, stop and stop.options)
        except (*_REFUSALS, ValueError) as error:
            raise GraphFailed("the run failed in ONNX Runtime") from error
        return dict(zip(outputs, values, strict=True))


def run_plain(session: Any, names: list[str], feeds: Arrays, options: Any) -> list[NDArray[Any]]:
    """On the CPU nothing has to be copied."""
    values: list[NDArray[Any]] = session.run(names, feeds, options)
    return values


def run_bound(session: Any, names: list[str], feeds: Arrays, options: Any, device: str = "cuda") -> list[NDArray[Any]]:
    """Inputs go to the device once, and outputs stay there until the run is done."""
    binding = session.io_binding()
    for name, array in feeds.items():
        binding.bind_cpu_input(name, np.ascontiguousarray(array))
    for name in names:
        binding.bind_output(name, device)
    session.run_with_iobinding(binding, options)
    values: list[NDArray[Any]] = binding.copy_outputs_to_cpu()
    return values


def providers(provider: Provider, *, tf32: bool) -> list[Any]:
    """What ONNX Runtime is given to run a graph on.

    TF32 keeps 10 bits of a product's mantissa. HEURISTIC: else each shape that is met first is tried with every
    algorithm, and the fastest one of that moment decides the last bits. The arena grows by what is asked for only.
    """
    if provider == "CPUExecutionProvider":
        return [provider]
    options = {
        "use_tf32": str(int(tf32)),
        "cudnn_conv_algo_search": "HEURISTIC",
        "arena_extend_strategy": "kSameAsRequested",
        "gpu_mem_limit": str(_ARENA_BYTES),
    }
    return [(provider, options), "CPUExecutionProvider"]


def tensor_name(output: str) -> str:
    """The tensor that a graph's output is."""
    return output.removesuffix(OUTPUT_SUFFIX)


def provider(device: Literal["auto", "cuda", "cpu"]) -> Provider:
    """The provider for a device; DeviceMissing if `cuda` is asked for and cannot be had."""
    missing = None if device == "cpu" else _lacks_cuda()
    if device == "cuda" and missing:
        raise DeviceMissing(f"device cuda: {missing}; use auto or cpu")
    if missing:
        _log.info("device auto: %s, so the CPU it is", missing)
    return "CPUExecutionProvider" if device == "cpu" or missing else "CUDAExecutionProvider"


def _lacks_cuda() -> str | None:
    """Why CUDA cannot be used here, or None."""
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        return "this onnxruntime was built without CUDA (onnxruntime-gpu has it)"
    try:
        ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "this machine has no NVIDIA driver"
    onnxruntime.preload_dlls()
    session = onnxruntime.InferenceSession(_identity(), providers=["CUDAExecutionProvider"])
    if "CUDAExecutionProvider" not in session.get_providers():
        return "the CUDA provider does not start: its CUDA or cuDNN libraries are missing or too old"
    return None


def _identity() -> bytes:
    """The smallest graph that shows whether a provider starts."""
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "identity", [x], [y])
    content: bytes = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    ).SerializeToString()
    return content
