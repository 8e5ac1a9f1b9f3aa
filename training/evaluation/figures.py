"""Figures of a model on held-out data, measured through its exported graphs."""

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from models import bounds
from models.manifest import Calibration, OperationName
from models.provenance import Figure
from training.exported import Arrays, Exported

SEED = 1  # of the noise; the service's `score` with this seed and an image's index gives that image's very terms
CALIBRATION_SAMPLES = 16

_RUN = 4000  # rows times samples in one run of a graph
_ROWS = 500
_RESAMPLES = 100
_ACTIVE = 0.01  # a unit is active if the variance of E[z|x] over the data exceeds this (Burda et al. 2016, sec. 5.2)


def evaluate(exported: Exported, x: NDArray[np.generic], samples: tuple[int, ...], split: str) -> dict[str, Figure]:
    """Every figure that the operations allow; standard errors are over the rows of `x`.

    `samples` are the K at which the importance weighted bound is measured; a longer K starts with the shorter one's
    samples, so the figures are paired.
    """
    figures = {}
    if "score" in exported.operations:
        terms = score_terms(exported, x, samples)
        figures |= {name: _figure(values, "nats", split) for name, values in terms.items()}
    if {"mean", "log_variance"} <= set(_outputs(exported, "encode")):
        figures["active_units"] = _active_units(_codes(exported, x, "mean"), split)
    if {"encode", "decode"} <= set(exported.operations):
        figures["squared_error"] = _figure(_squared_errors(exported, x), "a dimension", split)
    return figures


def calibrate(exported: Exported, x: NDArray[np.generic]) -> Calibration | None:
    """The quantiles by which the service says where a score lies; None for a model without a score."""
    if "score" not in exported.operations:
        return None
    bound = score_terms(exported, x, (CALIBRATION_SAMPLES,))[f"bound_{CALIBRATION_SAMPLES}"]
    return Calibration(samples=CALIBRATION_SAMPLES, quantiles=tuple(np.quantile(bound, np.linspace(0, 1, 101))))


def score_terms(exported: Exported, x: NDArray[np.generic], samples: tuple[int, ...]) -> Arrays:
    """Per row of `x`: the mean of each term that the graph offers, and `bound_K` for each K; all (rows,), in nats."""
    rows = max(1, _RUN // max(samples))
    blocks = range(0, len(x), rows)

    def score(start: int) -> Arrays:
        return _score_block(exported, x[start : start + rows].astype(np.float32), start, samples)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        scored = list(tqdm(pool.map(score, blocks), total=len(blocks), desc="score", leave=False, dynamic_ncols=True))
    return {name: np.concatenate([block[name] for block in scored]) for name in scored[0]}


def _score_block(exported: Exported, x: NDArray[np.float32], index: int, samples: tuple[int, ...]) -> Arrays:
    chunks = []
    count = max(samples) if exported.operations["score"].noise else 1
    for start in range(0, count, _RUN):
        drawn = range(start, min(start + _RUN, count))
        noise = exported.draw("score", seed=SEED, index=index, rows=len(x), samples=drawn)
        chunks.append(exported.run("score", {"x": x, **noise}))
    terms = {name: np.concatenate([chunk[name] for chunk in chunks], axis=1) for name in chunks[0]}
    log_weight = terms.pop("log_weight")
    means = {name: bounds.mean(values).value for name, values in terms.items()}
    return means | {f"bound_{k}": bounds.importance_weighted_bound(log_weight[:, :k]).value for k in samples}


def _active_units(means: NDArray[np.float32], split: str) -> Figure:
    """How many units of E[z|x] vary over the data; the standard error by the bootstrap."""
    random = np.random.default_rng(SEED)
    resampled = (means[random.integers(0, len(means), len(means))] for _ in range(_RESAMPLES))
    return Figure(
        value=float(_count_active(means)),
        std_error=float(np.std([_count_active(codes) for codes in resampled], ddof=1)) if len(means) > 1 else None,
        unit=f"of {means.shape[1]}",
        split=split,
        examples=len(means),
    )


def _count_active(means: NDArray[np.float32]) -> int:
    return int((means.var(axis=0) > _ACTIVE).sum())


def _codes(exported: Exported, x: NDArray[np.generic], output: str = "z") -> NDArray[np.float32]:
    """An output of `encode` without noise: temperature 0."""
    blocks = []
    for start in range(0, len(x), _ROWS):
        rows = x[start : start + _ROWS].astype(np.float32)
        noise = exported.draw("encode", index=start, rows=len(rows), temperature=0)
        blocks.append(exported.run("encode", {"x": rows, **noise})[output])
    return np.concatenate(blocks)


def _squared_errors(exported: Exported, x: NDArray[np.generic]) -> NDArray[np.float32]:
    """The mean squared difference of x and its reconstruction's expectation, one a row."""
    z = _codes(exported, x)
    errors = []
    for start in range(0, len(z), _ROWS):
        rows = z[start : start + _ROWS]
        noise = exported.draw("decode", index=start, rows=len(rows), temperature=0)
        decoded = exported.run("decode", {"z": rows, **noise})
        expectation = decoded.get("mean", decoded["x"])
        errors.append(np.square(expectation - x[start : start + _ROWS]).reshape(len(rows), -1).mean(axis=1))
    return np.concatenate(errors)


def _outputs(exported: Exported, name: OperationName) -> tuple[str, ...]:
    return exported.operations[name].outputs if name in exported.operations else ()


def _figure(values: NDArray[np.generic], unit: str, split: str) -> Figure:
    """The mean and its standard error, which one row alone does not have."""
    return Figure(
        value=float(values.mean()),
        std_error=float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None,
        unit=unit,
        split=split,
        examples=len(values),
    )
