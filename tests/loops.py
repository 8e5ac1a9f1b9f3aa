"""How often the Loop of a shipped sampler goes round, and how much of the network each round computes."""

import statistics
from math import prod

import onnx

from models.repository import Bundle
from training.exported import Exported
from training.families.autoregressive import Autoregressive

DRAWS = 100


def mean_steps(bundle: Bundle, batch: int) -> float:
    """Rounds of the sampler for so many draws at once; it ends when the slowest does."""
    sample = bundle.manifest.operations["sample"].model_copy(update={"outputs": ("steps",)})
    exported = Exported({"sample": sample}, {sample.graph: _counted(bundle.files[sample.graph])})
    starts = range(0, DRAWS, batch)
    draws = (exported.draw("sample", index=start, rows=batch) for start in starts)
    return statistics.fmean(int(exported.run("sample", noise)["steps"]) for noise in draws)


def untrained(bundle: Bundle) -> Autoregressive:
    """The bundle's network with random weights."""
    manifest = bundle.manifest
    options = Autoregressive.Options.model_validate(manifest.provenance.recipe["model"])
    return Autoregressive(options, manifest.x, manifest.shapes["x"]).eval()


def saved(bundle: Bundle, steps: float) -> float:
    """How many times fewer evaluations of the whole network so many steps are than one for each dimension."""
    return prod(bundle.manifest.shapes["x"]) * untrained(bundle).network.parts / steps


def _counted(graph: bytes) -> bytes:
    """The graph with the further output `steps`, the count that its one Loop carries."""
    model = onnx.load_from_string(graph)
    (loop,) = [node for node in model.graph.node if node.op_type == "Loop"]
    model.graph.node.append(onnx.helper.make_node("Identity", [loop.output[0]], ["steps"]))
    model.graph.output.append(onnx.helper.make_tensor_value_info("steps", onnx.TensorProto.INT64, []))
    return model.SerializeToString()
