"""One operation of a family with data and noise to try it on, as PyTorch computes it."""

import inspect
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models import noise
from models.golden import Arrays, GoldenRows
from models.manifest import SAMPLED, SIGNATURES, OperationName
from training.errors import ExportError
from training.family import Family, Function

_MARGIN = 0.02  # golden draws must stand when every noise value that meets a threshold moves by up to this
_MOVES = 32
_CANDIDATES = 64


class Trial(NamedTuple):
    """`examples` are rows of data, (rows, *shape of x)."""

    family: Family
    name: OperationName
    function: Function
    examples: NDArray[np.generic]

    @property
    def sampled(self) -> set[str]:
        """The inputs that have a samples axis."""
        return set(self.function.noise) if self.name in SAMPLED else set()

    @property
    def outputs(self) -> tuple[str, ...]:
        """What the operation gives: the method's outputs, less those that the caller gives it anyway."""
        signature = SIGNATURES[self.name]
        echoed = {*signature.inputs, *self.function.fill} - set(signature.outputs)
        return tuple(output for output in self.compute(self.inputs(2, 2)) if output not in echoed)

    def inputs(self, rows: int, samples: int) -> Arrays:
        """All inputs of the method, in the order of its parameters."""
        return {name: self._input(name, rows, samples) for name in inspect.signature(self.function.call).parameters}

    def compute(self, inputs: Arrays) -> Arrays:
        """Everything that the method returns."""
        with torch.no_grad():
            outputs = self.function.call(*(torch.from_numpy(array) for array in inputs.values()))
        return {name: output.numpy() for name, output in outputs.items()}

    def golden_rows(self, rows: int, samples: int) -> GoldenRows:
        """Inputs and outputs; draws of a discrete x that hang by a hair are left out, for rounding could flip them."""
        inputs = self.inputs(_CANDIDATES * rows, samples)
        computed = self.compute(inputs)
        kept = np.flatnonzero(self._stands(inputs, computed))[:rows]
        if len(kept) < rows:
            raise ExportError(f"{self.name}: no {rows} draws of x stand when the noise moves by {_MARGIN}")
        return GoldenRows(
            {name: array[kept] for name, array in inputs.items() if name not in self.function.fill},
            {name: computed[name][kept] for name in self.outputs},
        )

    def _input(self, name: str, rows: int, samples: int) -> NDArray[np.generic]:
        shapes = self.family.shapes()
        own = f"{self.name}.{name}"
        shape = shapes[own if own in shapes else name]
        if name in self.function.fill:
            return np.full((rows, *shape), self.function.fill[name], np.float32)
        if name == "x":
            return self.examples[np.arange(rows) % len(self.examples)].astype(np.float32)
        kind = self.function.noise.get(name, "normal")
        axis = range(samples) if name in self.sampled else None
        values = noise.draw(kind, name, shape, seed=0, rows=rows, samples=axis)
        return (values > 0).astype(np.float32) if name == "mask" else values

    def _stands(self, inputs: Arrays, computed: Arrays) -> NDArray[np.bool_]:
        """Which rows of a discrete x stay as they are under many small moves of the noise that meets a threshold."""
        rows = len(next(iter(inputs.values())))
        stands = np.ones(rows, np.bool_)
        if "x" not in self.outputs or self.family.example.support == "real":
            return stands
        thresholds = [name for name, kind in self.function.noise.items() if kind != "normal"]
        random = np.random.default_rng(0)
        for _ in range(_MOVES):
            moves = {name: random.uniform(-_MARGIN, _MARGIN, inputs[name].shape) for name in thresholds}
            moved = {name: (inputs[name] + move).astype(np.float32) for name, move in moves.items()}
            stands &= (self.compute(inputs | moved)["x"] == computed["x"]).reshape(rows, -1).all(axis=1)
        return stands
