"""The request that is asked over and over: a verb of a model, with data that the model itself made."""

import io
import json
from typing import Any, NamedTuple

import httpx
import numpy as np

from models.errors import ReparamError

VERBS = ("sample", "encode", "decode", "reconstruct", "interpolate", "traverse", "score", "complete", "criticize")
TYPES = {"json": "application/json", "npy": "application/x-npy", "png": "image/png"}
_OPERATION = {"reconstruct": "encode", "interpolate": "decode", "traverse": "decode"}  # else that of the verb's name
_OF_X = ("encode", "reconstruct", "score", "complete", "criticize")
_TENSOR = {**dict.fromkeys(("encode", "reconstruct", "score", "criticize"), "x"), "decode": "z"}  # may be a body alone
_ANSWERS = {"npy": set(VERBS) - {"score"}, "png": set(VERBS) - {"encode", "score", "criticize"}, "json": set(VERBS)}
_SEED = 1


class Refused(ReparamError):
    """The service does not answer the question at all; the words are its own."""


class Question(NamedTuple):
    """`rows` are those of one answer."""

    model: str
    version: int
    digest: str
    path: str
    headers: dict[str, str]
    content: bytes
    rows: int


def question(
    http: httpx.Client, verb: str, *, model: str = "", payload: str = "json", rows: int = 1, samples: int = 16
) -> Question:
    """Asked once, so that what can be refused is refused now. Without a model it is the first that has the verb."""
    facts = _accepted(http.get(f"/v2/models/{model or _first(http, verb)}")).json()
    asked = _Asked(http, facts, verb, rows)
    fields = asked.fields(samples)
    path, headers, content = asked.written(fields, payload)
    _accepted(http.post(path, headers=headers, content=content))
    return Question(facts["name"], facts["version"], facts["digest"], path, headers, content, rows)


def _first(http: httpx.Client, verb: str) -> str:
    operation = _OPERATION.get(verb, verb)
    models = _accepted(http.get("/v2/models")).json()["models"]
    able = [model["name"] for model in models if operation in model["operations"]]
    if not able:
        raise Refused(f"none of the service's models can {verb}")
    return str(able[0])


def _accepted(response: httpx.Response) -> httpx.Response:
    if response.is_success:
        return response
    try:
        raise Refused(response.json()["detail"])
    except (ValueError, KeyError, TypeError):
        raise Refused(f"the service answers {response.status_code} {response.reason_phrase}") from None


class _Asked:
    """A verb of one model, as its metadata describes it."""

    def __init__(self, http: httpx.Client, facts: dict[str, Any], verb: str, rows: int) -> None:
        self._http, self._facts, self._verb, self._rows = http, facts, verb, rows
        self._url = f"/v2/models/{facts['name']}"
        self._described = facts["parameters"]["operations"]

    def fields(self, samples: int) -> dict[str, Any]:
        """Everything in the body, tensors as float32 arrays."""
        fields: dict[str, Any] = dict(self._label(_OPERATION.get(self._verb, self._verb)))
        if self._verb == "sample":
            return fields | {"num_samples": self._rows}
        if self._verb == "decode":
            return fields | {"z": self._codes(self._rows)}
        if self._verb == "interpolate":
            start, end = self._codes(2)
            return fields | {"start": {"z": start}, "end": {"z": end}, "steps": self._rows}
        if self._verb == "traverse":
            values = np.linspace(-2, 2, self._rows, dtype="<f4")
            return fields | {"origin": {"z": self._codes(1)[0]}, "dimension": 0, "values": values}
        fields["x"] = self._examples(self._rows)
        if self._verb == "score":
            fields["samples"] = samples
        if self._verb == "complete":
            kept = np.arange(fields["x"][0].size).reshape(fields["x"].shape[1:]) < fields["x"][0].size // 2
            fields["mask"] = np.broadcast_to(kept.astype("<f4"), fields["x"].shape)
        return fields

    def written(self, fields: dict[str, Any], payload: str) -> tuple[str, dict[str, str], bytes]:
        """Path, headers and body; npy and PNG hold the one tensor, and all else is in the query."""
        accept = TYPES[payload if self._verb in _ANSWERS[payload] else "json"]
        path, tensor = f"{self._url}/{self._verb}", _TENSOR.get(self._verb)
        if payload == "json" or tensor is None or (payload == "png" and tensor != "x"):
            body = json.dumps(fields, default=lambda array: array.tolist(), separators=(",", ":")).encode()
            return path, {"Content-Type": TYPES["json"], "Accept": accept}, body
        if payload == "png" and self._rows > 1:
            raise Refused("a PNG is a single example: leave --rows at 1, or take --payload npy")
        rest = {name: value for name, value in fields.items() if name != tensor}
        body = _npy(fields[tensor]) if payload == "npy" else self._made(1, TYPES["png"])
        headers = {"Content-Type": TYPES[payload], "Accept": accept}
        return f"{path}?{httpx.QueryParams(rest)}" if rest else path, headers, body

    def _examples(self, rows: int) -> np.ndarray[Any, Any]:
        """What the model draws or decodes is valid x; where it does neither, so is the low end of its range."""
        if self._described.keys() & {"sample", "decode"}:
            return np.load(io.BytesIO(self._made(rows, TYPES["npy"])))  # type: ignore[no-any-return]
        return np.full((rows, *self._facts["shapes"]["x"]), self._facts["x"]["range"][0] or 0.0, "<f4")

    def _made(self, rows: int, accept: str) -> bytes:
        body: dict[str, Any] = {"num_samples": rows, **self._label("sample")}
        verb = "sample" if "sample" in self._described else "decode"
        if verb == "decode":
            body = {"z": self._codes(rows).tolist(), **self._label("decode")}
        body |= {"seed": _SEED, "outputs": ["x"]}
        return _accepted(self._http.post(f"{self._url}/{verb}", json=body, headers={"Accept": accept})).content

    def _codes(self, rows: int) -> np.ndarray[Any, Any]:
        shape = self._facts["shapes"].get("z", [1])
        return np.random.default_rng(_SEED).standard_normal((rows, *shape)).astype("<f4")

    def _label(self, operation: str) -> dict[str, int]:
        inputs = self._described.get(operation, {}).get("inputs", [])
        return {"label": 0} if any(tensor["name"] == "label" for tensor in inputs) else {}


def _npy(array: np.ndarray[Any, Any]) -> bytes:
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()
