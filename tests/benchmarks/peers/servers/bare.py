"""FastAPI and ONNX Runtime as most people write it: pydantic models, plain functions, a session as it comes."""

import numpy as np
from fastapi import FastAPI, Response
from model import Model, Sample, Score
from pydantic import BaseModel

app = FastAPI()
model = Model("sample", "score")


class SampleRequest(BaseModel):
    n: int = 1
    seed: int


class SampleResponse(BaseModel):
    x: list[list[list[float]]]


class ScoreRequest(BaseModel):
    x: list[list[list[float]]]
    samples: int = 1
    seed: int


class ScoreResponse(BaseModel):
    elbo: list[float]
    importance_weighted_bound: list[float]


@app.post("/sample")
def sample(request: SampleRequest) -> SampleResponse:
    (x,) = model.sample([Sample(request.n, request.seed)])
    return SampleResponse(x=x.tolist())


@app.post("/sample-bytes")
def sample_bytes(request: SampleRequest) -> Response:
    (x,) = model.sample([Sample(request.n, request.seed)])
    return Response(x.tobytes(), media_type="application/octet-stream")


@app.post("/score")
def score(request: ScoreRequest) -> ScoreResponse:
    x = np.array(request.x, np.float32)
    (bounds,) = model.score([Score(x, request.samples, request.seed)])
    return ScoreResponse(**{name: values.tolist() for name, values in bounds.items()})
