"""The exported graphs of a model as functions of numpy arrays, one an operation."""

from collections.abc import Mapping

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from models import noise
from models.manifest import OUTPUT_SUFFIX, SAMPLED, Operation, OperationName

Arrays = dict[str, NDArray[np.generic]]


class Exported:
    """What a server computes from the same files, on one thread of the CPU."""

    def __init__(self, operations: Mapping[OperationName, Operation], graphs: Mapping[str, bytes]) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.operations = operations
        self._sessions = {
            file: onnxruntime.InferenceSession(graphs[file], options, providers=["CPUExecutionProvider"])
            for file in {operation.graph for operation in operations.values()}
        }

    def run(self, name: OperationName, inputs: Arrays) -> Arrays:
        """The outputs of an operation by name; `inputs` are its data and its noise."""
        operation = self.operations[name]
        rows = len(next(iter(inputs.values())))
        shapes = self._shapes(name)
        filled = {key: np.full((rows, *shapes[key]), value, np.float32) for key, value in operation.fill.items()}
        session = self._sessions[operation.graph]
        names = {output.name.removesuffix(OUTPUT_SUFFIX): output.name for output in session.get_outputs()}
        outputs = session.run([names[output] for output in operation.outputs], inputs | filled)
        return dict(zip(operation.outputs, outputs, strict=True))

    def draw(
        self,
        name: OperationName,
        *,
        index: int,
        rows: int,
        samples: range | None = None,
        seed: int = 0,
        temperature: float = 1.0,
    ) -> Arrays:
        """The noise of an operation, as the service draws it for the same seed and index."""
        shapes = self._shapes(name)
        return {
            key: noise.draw(
                kind, key, shapes[key], seed=seed, index=index, rows=rows, samples=samples, temperature=temperature
            )
            for key, kind in self.operations[name].noise.items()
        }

    def _shapes(self, name: OperationName) -> dict[str, tuple[int, ...]]:
        """The shapes of the graph's inputs, without the batch and samples axes."""
        operation = self.operations[name]
        return {
            tensor.name: tuple(tensor.shape[2 if name in SAMPLED and tensor.name in operation.noise else 1 :])
            for tensor in self._sessions[operation.graph].get_inputs()
        }
