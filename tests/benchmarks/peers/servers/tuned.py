"""FastAPI and ONNX Runtime by one who has measured: orjson both ways, no thread hop, one thread a session."""

import numpy as np
import orjson
from fastapi import FastAPI, Request, Response
from model import Model, Sample, Score

app = FastAPI()
model = Model("sample", "score", threads=1)


@app.post("/sample")
async def sample(request: Request) -> Response:
    (x,) = model.sample([Sample(**orjson.loads(await request.body()))])
    return _json({"x": x})


@app.post("/sample-bytes")
async def sample_bytes(request: Request) -> Response:
    (x,) = model.sample([Sample(**orjson.loads(await request.body()))])
    return Response(x.tobytes(), media_type="application/octet-stream")


@app.post("/score")
async def score(request: Request) -> Response:
    asked = orjson.loads(await request.body())
    asked["x"] = np.array(asked["x"], np.float32)
    (bounds,) = model.score([Score(**asked)])
    return _json(bounds)


def _json(answer: dict[str, np.ndarray]) -> Response:
    return Response(orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json")
