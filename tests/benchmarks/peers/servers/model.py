"""What every peer serves: a bundle's sample and score graphs, as one runs them who needs nothing else of a bundle.

It runs in the peers' own environments, so it imports nothing of the project. Noise is by numpy's generators.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import onnxruntime

DRAWS: dict[str, Callable[..., Any]] = {
    "normal": lambda rng, shape: rng.standard_normal(shape, np.float32),
    "logistic": lambda rng, shape: rng.logistic(size=shape).astype(np.float32),
}


class Sample(NamedTuple):
    n: int
    seed: int


class Score(NamedTuple):
    """x: (rows, ...), float32."""

    x: np.ndarray
    samples: int
    seed: int


class Model:
    """`threads` of one run; ONNX Runtime's own choice if 0. The bundle is the folder that BUNDLE names."""

    def __init__(self, *operations: str, threads: int = 0) -> None:
        self._folder = Path(os.environ["BUNDLE"])
        self._manifest = json.loads((self._folder / "manifest.json").read_text())
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads
        self._options.log_severity_level = 3
        self._sessions = {name: self._session(name) for name in operations}

    def sample(self, asked: list[Sample]) -> list[np.ndarray]:
        """For each (n, ...), from one run for all."""
        drawn = [self._noise("sample", (each.n,), each.seed) for each in asked]
        feeds = {name: np.concatenate([noise[name] for noise in drawn]) for name in drawn[0]}
        rows = len(next(iter(feeds.values())))
        for name, value in self._manifest["operations"]["sample"]["fill"].items():
            feeds[name] = np.full((rows, *self._manifest["shapes"][name]), value, np.float32)
        session = self._sessions["sample"]
        (x,) = session.run([session.get_outputs()[0].name], feeds)
        return np.split(x, np.cumsum([each.n for each in asked])[:-1])

    def score(self, asked: list[Score]) -> list[dict[str, np.ndarray]]:
        """For each the two bounds of its rows, from one run for all that want as many samples."""
        answers: dict[int, dict[str, np.ndarray]] = {}
        for samples in {each.samples for each in asked}:
            alike = [number for number, each in enumerate(asked) if each.samples == samples]
            answers |= zip(alike, self._score_alike([asked[number] for number in alike]), strict=True)
        return [answers[number] for number in range(len(asked))]

    def _score_alike(self, asked: list[Score]) -> list[dict[str, np.ndarray]]:
        drawn = [self._noise("score", (len(each.x), each.samples), each.seed) for each in asked]
        feeds = {name: np.concatenate([noise[name] for noise in drawn]) for name in drawn[0]}
        feeds["x"] = np.concatenate([each.x for each in asked])
        log_weight, elbo = self._sessions["score"].run(["log_weight", "elbo"], feeds)
        most = log_weight.max(axis=1)
        bound = most + np.log(np.exp(log_weight - most[:, None]).mean(axis=1))
        cuts = np.cumsum([len(each.x) for each in asked])[:-1]
        parts = zip(np.split(elbo.mean(axis=1), cuts), np.split(bound, cuts), strict=True)
        return [{"elbo": mean, "importance_weighted_bound": tight} for mean, tight in parts]

    def _session(self, operation: str) -> onnxruntime.InferenceSession:
        graph = self._folder / self._manifest["operations"][operation]["graph"]
        return onnxruntime.InferenceSession(graph, self._options, providers=["CPUExecutionProvider"])

    def _noise(self, operation: str, rows: tuple[int, ...], seed: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(seed)
        kinds = self._manifest["operations"][operation]["noise"]
        return {name: DRAWS[kind](rng, (*rows, *self._manifest["shapes"][name])) for name, kind in kinds.items()}
