"""Requests of every verb, payload and kind of model, each with another seed and other sizes."""

import io
import itertools
import json
from collections.abc import Callable, Iterator

import numpy as np

from models.repository import SHIPPED, Repository
from service.encoding import picture
from tests.benchmarks.connection import post, request

MODELS = ("vae-digits", "ar-digits", "ae-digits", "cvae-mnist", "gan-ring")
JSON, NPY, PNG, LINES = "application/json", "application/x-npy", "image/png", "application/x-ndjson"

_DIGIT = np.array([[(3 * i + j) % 17 for j in range(8)] for i in range(8)], np.float32)
_UPPER = np.repeat([[1.0], [0.0]], 4, axis=0) * np.ones(8)


def requests() -> Iterator[bytes]:
    """Without end."""
    for seed in itertools.count():
        yield from (kind(seed) for kind in (*_ANSWERS_OF_EVERY_TYPE, *_BODIES, *_INFERENCES))


def _rows(seed: int) -> int:
    return 1 + seed % 5


def _verb(model: str, verb: str, seed: int, accept: str = JSON, **fields: object) -> bytes:
    return post(f"/v2/models/{model}/{verb}", {"seed": seed, **fields}, accept)


def _digits(seed: int) -> list[object]:
    return [((_DIGIT + seed + row) % 17).tolist() for row in range(_rows(seed))]


def _digit_as_png(seed: int) -> bytes:
    example = Repository(SHIPPED).read("vae-digits", "1").manifest.x
    return picture.write(((_DIGIT + seed) % 17)[None], example)


def as_npy(array: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(array, "<f4"))
    return file.getvalue()


def _binary(seed: int) -> bytes:
    """A frame: JSON, and a tensor behind it."""
    x = np.asarray(_digits(seed), "<f4")
    tensor = {"name": "x", "shape": x.shape, "datatype": "FP32", "parameters": {"binary_data_size": x.nbytes}}
    parameters = {"operation": "score", "seed": seed, "samples": 1 + seed % 9, "binary_data_output": True}
    head = json.dumps({"inputs": [tensor], "parameters": parameters}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    return request("/v2/models/vae-digits/infer", head + x.tobytes(), headers)


_ANSWERS_OF_EVERY_TYPE: tuple[Callable[[int], bytes], ...] = (
    lambda seed: _verb("vae-digits", "sample", seed, num_samples=_rows(seed)),
    lambda seed: _verb("vae-digits", "sample", seed, NPY, num_samples=20 * _rows(seed)),
    lambda seed: _verb("vae-digits", "sample", seed, PNG, num_samples=_rows(seed)),
    lambda seed: _verb("vae-digits", "sample", seed, LINES, num_samples=300 + seed % 300, outputs=["z"]),
    lambda seed: _verb("vae-digits", "score", seed, x=_digits(seed), samples=1 + seed % 9),
    lambda seed: _verb("vae-digits", "score", seed, LINES, x=_digits(seed), samples=200),
    lambda seed: _verb("vae-digits", "reconstruct", seed, x=_digits(seed), temperature=1),
    lambda seed: _verb("vae-digits", "interpolate", seed, PNG, start={"seed": seed}, end={"seed": 0}, steps=3),
    lambda seed: _verb("vae-digits", "traverse", seed, origin={"seed": seed}, dimension=seed % 16, values=[-1, 1]),
    lambda seed: _verb("ar-digits", "sample", seed, num_samples=_rows(seed)),
    lambda seed: _verb("ar-digits", "complete", seed, NPY, x=_digits(seed), mask=[_UPPER.tolist()] * _rows(seed)),
    lambda seed: _verb("ar-digits", "score", seed, x=_digits(seed)),
    lambda seed: _verb("ae-digits", "encode", seed, x=_digits(seed)),
    lambda seed: _verb("cvae-mnist", "sample", seed, num_samples=_rows(seed), label=seed % 10),
    lambda seed: _verb("gan-ring", "sample", seed, num_samples=_rows(seed)),
    lambda seed: _verb("gan-ring", "criticize", seed, x=[[0.1 * seed % 1, -0.5]] * _rows(seed)),
)
_BODIES: tuple[Callable[[int], bytes], ...] = (
    lambda seed: request(
        f"/v2/models/vae-digits/score?seed={seed}&samples=8", as_npy(_digits(seed)), {"Content-Type": NPY}
    ),
    lambda seed: request(
        f"/v2/models/ae-digits/decode?seed={seed}&temperature=1",
        as_npy(np.full((_rows(seed), 16), 0.1 * (seed % 7))),
        {"Content-Type": NPY, "Accept": PNG},
    ),
    lambda seed: request(
        f"/v2/models/vae-digits/encode?seed={seed}&temperature=1",
        _digit_as_png(seed),
        {"Content-Type": PNG, "Accept": NPY},
    ),
)
_INFERENCES: tuple[Callable[[int], bytes], ...] = (
    lambda seed: post("/v2/models/gan-ring/infer", {"inputs": [], "parameters": {"seed": seed}}),
    _binary,
)
