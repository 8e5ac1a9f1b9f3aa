"""From a trained family to graphs that are proved to compute what PyTorch computes."""

from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.golden import GoldenRows, agree
from models.manifest import Golden, Operation, OperationName
from training.errors import ExportError
from training.exported import Exported
from training.family import Family
from training.tracing import trace
from training.trial import Trial

TOLERANCE = Golden(absolute=1e-3, relative=1e-4)

_CHECKED_SIZES = ((1, 1), (7, 4))  # rows and samples, other than those of the trace
_GOLDEN_ROWS, _GOLDEN_SAMPLES = 4, 3


class Export(NamedTuple):
    operations: dict[OperationName, Operation]
    graphs: dict[str, bytes]
    golden: dict[OperationName, GoldenRows]


def export(family: Family, examples: NDArray[np.generic], keep_back: Collection[OperationName] = frozenset()) -> Export:
    """Trace the family's operations, all but some, check them at several sizes against PyTorch, and keep golden rows.

    The family's matrices are rounded to half precision first, in place: so they are stored, and so they are checked.
    `examples` are rows of data to check with. ExportError names the operation that fails.
    """
    family.eval()
    _round_matrices(family)
    given = {name: function for name, function in family.operations().items() if name not in keep_back}
    trials = [Trial(family, name, function, examples) for name, function in given.items()]
    operations = {trial.name: _describe(trial) for trial in trials}
    first_of = {operations[trial.name].graph: trial for trial in reversed(trials)}
    graphs = {file: trace(trial) for file, trial in first_of.items()}
    exported = Exported(operations, graphs)
    for trial in trials:
        for rows, samples in _CHECKED_SIZES:
            _compare(exported, trial.name, trial.golden_rows(rows, samples))
    golden = {trial.name: trial.golden_rows(_GOLDEN_ROWS, _GOLDEN_SAMPLES) for trial in trials}
    return Export(operations, graphs, golden)


def _round_matrices(family: Family) -> None:
    for name, parameter in family.named_parameters():
        if parameter.dim() > 1:
            rounded = parameter.detach().half().float()
            if not rounded.isfinite().all():
                raise ExportError(f"{name} holds weights beyond half precision")
            with torch.no_grad():
                parameter.copy_(rounded)


def _describe(trial: Trial) -> Operation:
    return Operation(
        graph=f"{trial.function.call.__name__}.onnx",
        noise=dict(trial.function.noise),
        outputs=trial.outputs,
        fill=dict(trial.function.fill),
        label=trial.function.label,
    )


def _compare(exported: Exported, name: OperationName, rows: GoldenRows) -> None:
    computed = exported.run(name, rows.inputs)
    for output, expected in rows.outputs.items():
        value = computed[output]
        if value.shape != expected.shape:
            raise ExportError(f"{name}: {output} has shape {value.shape} in the graph, {expected.shape} in PyTorch")
        if not agree(value, expected, TOLERANCE):
            worst = float(np.abs(value - expected).max())
            raise ExportError(f"{name}: {output} differs by up to {worst:.3g} between the graph and PyTorch")
