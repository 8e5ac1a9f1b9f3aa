"""What reads bytes of strangers, as functions of bytes: each returns, or refuses as it should."""

import itertools
import json as standard_json
import tempfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image
from pydantic import ValidationError

from models.errors import ReparamError
from models.manifest import Example
from models.repository import MANIFEST, parse_manifest
from service.encoding import json, npy, picture, png
from service.schemas import requests
from service.schemas.inference import InferRequest
from tests import tiny_bundle

_REQUESTS = (
    requests.SampleRequest,
    requests.EncodeRequest,
    requests.InterpolateRequest,
    requests.TraverseRequest,
    requests.ScoreRequest,
    requests.CompleteRequest,
    InferRequest,
)
_BODIES = (
    {"num_samples": 2, "seed": 1, "index": 3, "temperature": 0.5, "outputs": ["x", "mean"], "label": [0, 1]},
    {"x": [[0, 1], [1, 0]] * 100, "label": 1},
    {"start": {"z": [0.5, -2e-3]}, "end": {"seed": 5, "index": 1}, "steps": 3, "path": "linear"},
    {"origin": {"x": [[0, 1], [1, 0]]}, "dimension": 1, "values": [-1, 0, 1.5]},
    {"x": [[0.25, 1.5e2], [-1, 0]] * 50, "samples": 4, "target_std_error": 0.1},
    {"x": [[0, 1], [1, 0]], "mask": [[1, 1], [0, 0]]},
    {
        "id": "a",
        "inputs": [{"name": "x", "shape": [1, 2], "datatype": "FP32", "parameters": {"binary_data_size": 8}}],
        "parameters": {"operation": "score", "seed": 1, "samples": 4, "timeout": 1000, "priority": 1},
        "outputs": [{"name": "elbo", "parameters": {"binary_data": True}}],
    },
)
_SHOWN = Example(kind="image", support="levels", range=(0, 255))


class Reader(NamedTuple):
    """`read` returns for each of the seeds; for other bytes it may also raise one of its refusals."""

    read: Callable[[bytes], object]
    seeds: Callable[[], list[bytes]]
    refusals: tuple[type[Exception], ...] = (ReparamError,)


def _npy(body: bytes) -> object:
    return npy.values(body, npy.header(body))


def _npy_seeds() -> list[bytes]:
    kinds = itertools.product(("<f4", "<f8", "|u1"), ("C", "F"))
    return [_saved(np.ones((2, 3), kind, order)) for kind, order in kinds]


def _saved(array: np.ndarray) -> bytes:
    file = BytesIO()
    np.save(file, array)
    return file.getvalue()


def _png(body: bytes) -> object:
    """As it is behind a first byte of 0; else with its chunks' digests put right, which hide what is behind them."""
    body = body[1:] if body[:1] == b"\0" else _with_digests(body[1:])
    return picture.values(png.pixels(body, png.header(body)), _SHOWN)


def _with_digests(body: bytes) -> bytes:
    parts, at = [body[:8]], 8
    while at + 12 <= len(body):
        end = min(len(body), at + 12 + int.from_bytes(body[at : at + 4], "big"))
        parts.append(png.chunk(body[at + 4 : at + 8], body[at + 8 : end - 4]))
        at = end
    return b"".join([*parts, body[at:]])


def _png_seeds() -> list[bytes]:
    files = []
    for mode, first in itertools.product(("L", "RGB", "1"), b"\0\1"):
        file = BytesIO()
        Image.new(mode, (3, 2), 1).save(file, "PNG")
        files.append(bytes([first]) + file.getvalue())
    return files


def _manifest_seeds() -> list[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        kinds = ({}, {"conditional": True}, {"exact": True}, {"operations": ("sample",)})
        published = [tiny_bundle.publish(Path(folder), f"tiny{number}", **kind) for number, kind in enumerate(kinds)]
        return [(bundle / MANIFEST).read_bytes() for bundle in published]


def _json(body: bytes) -> object:
    """The first byte chooses the request."""
    return _REQUESTS[sum(body[:1]) % len(_REQUESTS)].model_validate(json.parse(body[1:]), from_attributes=True)


def _json_seeds() -> list[bytes]:
    return [bytes([number]) + standard_json.dumps(fields).encode() for number, fields in enumerate(_BODIES)]


def _planted(body: bytes) -> object:
    """The reader of JSON with a fault that fuzzing has to find, two steps away from the seeds."""
    request = _json(body)
    if isinstance(request, requests.SampleRequest) and request.num_samples > 2 and request.index > 3:
        raise ZeroDivisionError("planted")
    return request


READERS = {
    "npy": Reader(_npy, _npy_seeds),
    "png": Reader(_png, _png_seeds),
    "manifest": Reader(parse_manifest, _manifest_seeds),
    "json": Reader(_json, _json_seeds, (ReparamError, ValidationError)),
    "planted": Reader(_planted, _json_seeds, (ReparamError, ValidationError)),
}
