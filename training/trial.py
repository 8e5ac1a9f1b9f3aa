"""One operation of a family with data and noise to try it on, as PyTorch computes it."""

from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models import noise
from models.golden import Arrays, GoldenRows
from models.manifest import SAMPLED, SIGNATURES, OperationName
from training.errors import ExportError
from training.family import Family, Function

_MARGIN = 0.025  # golden draws must stand when every noise value that meets a threshold moves by up to this,
_SHRINK = 0.8  # or, where levels lie so close that none does, by this part of it at each further attempt
_MOVES = 32
_ATTEMPTS = 30


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

    def inputs(self, rows: int, samples: int, seed: int = 0) -> Arrays:
        """All inputs of the method, in the order of its parameters."""
        return {name: self._input(name, rows, samples, seed) for name in self.function.inputs}

    def compute(self, inputs: Arrays) -> Arrays:
        """Everything that the method returns."""
        with torch.no_grad():
            outputs = self.function.call(*(torch.from_numpy(array) for array in inputs.values()))
        return {name: output.numpy() for name, output in outputs.items()}

    def golden_rows(self, rows: int, samples: int) -> GoldenRows:
        """Inputs and outputs; a discrete x that hangs by a hair is drawn anew there, for rounding could flip it."""
        inputs = self._steadied(self.inputs(rows, samples))
        computed = self.compute(inputs)
        return GoldenRows(
            {name: array for name, array in inputs.items() if name not in self.function.fill},
            {name: computed[name] for name in self.outputs},
        )

    def _input(self, name: str, rows: int, samples: int, seed: int) -> NDArray[np.generic]:
        if name == "label":
            return np.arange(rows) % self.family.classes
        shapes = self.family.shapes()
        own = f"{self.name}.{name}"
        shape = shapes[own if own in shapes else name]
        if name in self.function.fill:
            return np.full((rows, *shape), self.function.fill[name], np.float32)
        if name == "x":
            return self.examples[np.arange(rows) % len(self.examples)].astype(np.float32)
        kind = self.function.noise.get(name, "normal")
        axis = range(samples) if name in self.sampled else None
        values = noise.draw(kind, name, shape, seed=seed, rows=rows, samples=axis)
        return (values > 0).astype(np.float32) if name == "mask" else values

    def _steadied(self, inputs: Arrays) -> Arrays:
        """The inputs with other noise wherever a value of a discrete x does not stand."""
        if "x" not in self.outputs or self.family.example.support == "real":
            return inputs
        rows = len(next(iter(inputs.values())))
        for attempt in range(1, _ATTEMPTS):
            shaky = self._shaky(inputs, _MARGIN * _SHRINK**attempt)
            if not shaky.any():
                return inputs
            anew = self.inputs(rows, 1, seed=attempt)
            inputs = inputs | {name: _replaced(inputs[name], anew[name], shaky) for name in self._thresholds}
        raise ExportError(f"{self.name}: no draw of x stands when the noise moves by a little")

    def _shaky(self, inputs: Arrays, margin: float) -> NDArray[np.bool_]:
        """Which values of x change when the noise that meets a threshold moves by up to `margin`."""
        x = self.compute(inputs)["x"]
        moved = {name: np.repeat(array, _MOVES, axis=0) for name, array in inputs.items()}
        random = np.random.default_rng(0)
        for name in self._thresholds:
            moved[name] += random.uniform(-margin, margin, moved[name].shape).astype(np.float32)
        changed = self.compute(moved)["x"].reshape(len(x), _MOVES, *x.shape[1:]) != x[:, None]
        return changed.any(axis=1)

    @property
    def _thresholds(self) -> list[str]:
        """The noise that decides a discrete x, value by value: its shape begins with that of x."""
        shape, shapes = self.family.shape, self.family.shapes()
        noise = self.function.noise.items()
        return [name for name, kind in noise if kind != "normal" and shapes[name][: len(shape)] == shape]


def _replaced(noise_at_hand: NDArray[Any], anew: NDArray[Any], where: NDArray[np.bool_]) -> NDArray[Any]:
    return np.where(where.reshape(*where.shape, *[1] * (anew.ndim - where.ndim)), anew, noise_at_hand)
