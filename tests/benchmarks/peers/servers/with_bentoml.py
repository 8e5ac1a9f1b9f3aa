"""BentoML with adaptive batching; an API that batches answers JSON, so the one that answers bytes does not batch."""

from typing import Annotated, Any

import bentoml
import numpy as np
from bentoml.validators import ContentType
from model import Model, Sample, Score
from pydantic import BaseModel

BATCHING = {"batchable": True, "max_batch_size": 64, "max_latency_ms": 1000}


class SampleRequest(BaseModel):
    n: int = 1
    seed: int


class ScoreRequest(BaseModel):
    x: list[list[list[float]]]
    samples: int = 1
    seed: int


@bentoml.service(logging={"access": {"enabled": False}})
class Served:
    def __init__(self) -> None:
        self._model = Model("sample", "score", threads=1)

    @bentoml.api(**BATCHING)
    def sample(self, asked: list[SampleRequest]) -> list[dict[str, Any]]:
        drawn = self._model.sample([Sample(each.n, each.seed) for each in asked])
        return [{"x": x.tolist()} for x in drawn]

    @bentoml.api(route="/sample-bytes")
    def sample_bytes(self, n: int, seed: int) -> Annotated[bytes, ContentType("application/octet-stream")]:
        (x,) = self._model.sample([Sample(n, seed)])
        return x.tobytes()

    @bentoml.api(**BATCHING)
    def score(self, asked: list[ScoreRequest]) -> list[dict[str, list[float]]]:
        scores = [Score(np.array(each.x, np.float32), each.samples, each.seed) for each in asked]
        found = self._model.score(scores)
        return [{name: values.tolist() for name, values in bounds.items()} for bounds in found]
