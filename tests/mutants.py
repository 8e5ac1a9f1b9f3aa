"""Bodies that are almost valid, by a seed: bytes changed, pieces cut out or doubled, other tokens and values."""

import copy
import io
import itertools
import json
import random
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from models.repository import Repository
from service.encoding import picture

MARKER = "Secret-Ma\u00efker"  # whatever a body says, the answer does not repeat it
JSON, NPY, PNG, LINES = "application/json", "application/x-npy", "image/png", "application/x-ndjson"
HEAD_LENGTH = "Inference-Header-Content-Length"

_X = [[[0, 1], [1, 0]], [[1, 1], [0, 1]]]
_Z = [[0.5, -1.25], [2, 1e-3]]
_FIELDS = {
    "sample": {"num_samples": 2},
    "encode": {"x": _X, "temperature": 1},
    "decode": {"z": _Z, "outputs": ["x"]},
    "reconstruct": {"x": _X},
    "complete": {"x": _X, "mask": [[[1, 1], [0, 0]]] * 2},
    "score": {"x": _X, "samples": 4},
    "criticize": {"x": _X},
    "interpolate": {"start": {"z": [2, 2]}, "end": {"seed": 5, "index": 1}, "steps": 3, "path": "linear"},
    "traverse": {"origin": {"x": [[0, 1], [1, 0]]}, "dimension": 1, "values": [-1, 0, 1]},
}
_TOKENS = [
    *(b"NaN", b"-Infinity", b"1e999", b"-1e39", b"1e-999", b"18446744073709551616", b"9" * 400, b"-0", b"01", b"0x1"),
    *(
        b"null",
        b"true",
        b"[]",
        b"{}",
        b"[[",
        b"]]",
        b"[" * 40,
        b'{"":' * 40,
        b'""',
        b"'",
        b"\\",
        b'"\\ud800"',
        b'"\\u0000"',
    ),
    *(b",", b":", b"}", b"/*", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\n", f'"{MARKER}"'.encode()),
    *(f'"{MARKER}":1,'.encode(), b"'<f8'", b"'>f4'", b"'|O'", b"(4294967296, 4294967296)", b"(-1,)", b"True"),
    *(b"IHDR\x7f\xff\xff\xff\x7f\xff\xff\xff", b"IDAT", b"IEND", b"tEXt"),
]
_VALUES = [
    *(None, True, False, 0, -1, 1, 2, 4097, 10_001, 2**31, 2**53 - 1, 2**53, 2**63, 2**64, -(2**63), 10**30, 0.5, -0.0),
    *(
        1e-320,
        3.5e38,
        1e308,
        "",
        "x",
        "z",
        "score",
        "sample",
        "INT64",
        "\x00",
        MARKER,
        "../x",
        "file:///x",
        [],
        [[]],
        {},
    ),
    *([0], [0, 1], [[0, 1], [1, 0]], [[[0, 1], [1, 0]]], [[0, 1], [1]], [[1, True]], [None], ["x"], {"z": [0, 0]}),
    *({"seed": 1}, {"x": [[0, 1], [1, 0]]}, {MARKER: 1}, [[1e39, 0]], [-1, 2], [2**40, 2**40], "linear"),
]


class Mutant(NamedTuple):
    path: str
    headers: dict[str, str]
    content: bytes


def mutants(repository: Repository, model: str, seed: int) -> Iterator[Mutant]:
    """Without end, of every verb and kind of body; `model` is a tiny bundle."""
    chance = random.Random(seed)
    for whole in itertools.cycle(list(_valid(repository, model))):
        headers = dict(whole.headers)
        if HEAD_LENGTH in headers and chance.random() < 0.3:
            headers[HEAD_LENGTH] = chance.choice(["", "-1", "0", "9" * 30, str(int(headers[HEAD_LENGTH]) + 1), "1e1"])
        if "Accept" in headers:
            headers["Accept"] = chance.choice([JSON, JSON, NPY, PNG, LINES])
        if whole.content[:1] == b"{" and chance.random() < 0.5:
            yield _with_other_values(Mutant(whole.path, headers, whole.content), chance)
        else:
            yield Mutant(whole.path, headers, mutated(whole.content, chance))


def _with_other_values(whole: Mutant, chance: random.Random) -> Mutant:
    """Still JSON, and behind it the bytes that it announces; one or two of its values are others or missing."""
    said, end = json.JSONDecoder().raw_decode(whole.content.decode("latin-1"))
    for _ in range(chance.randint(1, 2)):
        places = list(_places(said))
        if places:
            holder, key = chance.choice(places)
            if isinstance(holder, dict) and chance.random() < 0.2:
                name = MARKER if chance.random() < 0.2 else chance.choice(list(holder))
                holder[name] = holder.pop(key)
            else:
                holder[key] = copy.deepcopy(chance.choice(_VALUES))
    head = json.dumps(said).encode()
    headers = whole.headers | ({HEAD_LENGTH: str(len(head))} if HEAD_LENGTH in whole.headers else {})
    return Mutant(whole.path, headers, head + whole.content[end:])


def _places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Every value's holder and its place there."""
    for key, value in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(value, dict | list):
            yield from _places(value)


def mutated(content: bytes, chance: random.Random) -> bytes:
    """Up to three changes: other bytes, tokens between or in the place of others, pieces cut out or doubled."""
    body = bytearray(content)
    for _ in range(chance.randint(1, 3)):
        start, end = sorted(chance.choices(range(len(body) + 1), k=2))
        match chance.randrange(6):
            case 0 | 1:
                for _ in range(chance.randint(1, 6) if body else 0):
                    body[chance.randrange(len(body))] = chance.randrange(256)
            case 2:
                body[start:start] = chance.choice(_TOKENS)
            case 3:
                body[start:end] = chance.choice(_TOKENS)
            case 4:
                del body[start : min(end, start + 8)]
            case _ if chance.random() < 0.5:
                del body[start:]
            case _:
                body[start:start] = body[start:end]
    return bytes(body)


def _valid(repository: Repository, model: str) -> Iterator[Mutant]:
    path = f"/v2/models/{model}"
    for verb, fields in _FIELDS.items():
        content = json.dumps({"seed": 1, **fields}).encode()
        yield Mutant(f"{path}/{verb}", {"Content-Type": JSON, "Accept": JSON}, content)
        yield Mutant(f"{path}/{verb}?index=3", {"Content-Type": JSON}, content)  # the other way to the same verb
    for verb, rows in (("encode", _X), ("reconstruct", _X), ("score", _X), ("criticize", _X), ("decode", _Z)):
        yield Mutant(f"{path}/{verb}?seed=1", {"Content-Type": NPY, "Accept": JSON}, _npy(rows))
    image = picture.write(np.array(_X[:1], np.float32), repository.read(model, "1").manifest.x)
    for verb in ("encode", "reconstruct", "score", "criticize"):
        yield Mutant(f"{path}/{verb}?seed=1", {"Content-Type": PNG, "Accept": JSON}, image)
    yield from (Mutant(f"{path}/infer", headers, content) for headers, content in _frames())
    yield Mutant("/v2/repository/index", {}, b'{"ready": true}')
    yield Mutant("/v2/repository/models/other/load", {}, b'{"parameters": {}}')
    yield Mutant("/v2/repository/models/other/unload", {}, b'{"parameters": {"unload_dependents": false}}')


def _frames() -> Iterator[tuple[dict[str, str], bytes]]:
    x = np.array(_X, "<f4")
    tensor = {"name": "x", "shape": x.shape, "datatype": "FP32"}
    parameters = {"operation": "score", "seed": 1, "samples": 4, "timeout": 10**7}
    plain = {"id": "a", "inputs": [tensor | {"data": _X}], "parameters": parameters, "outputs": [{"name": "elbo"}]}
    yield {}, json.dumps(plain).encode()
    announced = tensor | {"parameters": {"binary_data_size": x.nbytes}}
    head = json.dumps({"inputs": [announced], "parameters": parameters | {"binary_data_output": True}}).encode()
    yield {HEAD_LENGTH: str(len(head)), "Content-Type": "application/octet-stream"}, head + x.tobytes()


def _npy(rows: object) -> bytes:
    file = io.BytesIO()
    np.save(file, np.asarray(rows, "<f4"))
    return file.getvalue()
