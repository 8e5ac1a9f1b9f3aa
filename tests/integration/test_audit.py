"""While it serves, the service opens nothing outside its repository, connects to nothing and starts nothing."""

import io
import json
import os
import pickle
import signal
import time
from urllib.parse import quote

import httpx
import numpy as np
import onnx
import pytest

from tests import tiny_bundle
from tests.integration.test_bombs import wait_for
from tests.live_server import live_server
from tests.service import spoiling
from tests.service.encoding.test_png import image
from tests.service.test_reproducibility import NOISY, PATHS, ROWS, body

LURES = (
    "http://127.0.0.1:9/x",
    "file:///etc/passwd",
    "//127.0.0.1/x",
    "/etc/passwd",
    "../../../../etc/passwd",
    "..\\..\\secret",
    "tiny/../../secret",
    "%2e%2e%2fsecret",
    "tiny\0.onnx",
    "$(touch secret)",
    "\u202egnp.x",
)
JSON, NPY, PNG = ({"Content-Type": kind} for kind in ("application/json", "application/x-npy", "image/png"))
TINY = "/v2/models/tiny"
PAGES = ("/livez", "/readyz", "/metrics", "/openapi.json", "/docs", "/v2", "/v2/models", "/v2/models/stats", TINY)


class Bait:
    """Unpickled, it would run a command."""

    def __reduce__(self):
        return os.system, ("true",)


def npy(array, **options):
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def proper():
    """What every route takes: (method, path, headers, body)."""
    for path in PAGES:
        yield "GET", path, {}, b""
    yield "POST", "/v2/repository/index", {}, b""
    for verb in (*NOISY, *PATHS):
        yield "POST", f"{TINY}/{verb}", JSON, json.dumps({"seed": 1, **body(verb)}).encode()
    yield "POST", f"{TINY}/criticize", JSON, json.dumps({"x": ROWS}).encode()
    yield "POST", f"{TINY}/sample", JSON | {"Accept": "image/png"}, b'{"num_samples": 4}'
    yield "POST", f"{TINY}/sample", JSON | {"Accept": "application/x-ndjson"}, b'{"num_samples": 4}'
    yield "POST", f"{TINY}/encode", NPY, npy(np.float32(ROWS))
    yield "POST", f"{TINY}/encode", PNG, image(2, 2)
    yield "POST", f"{TINY}/infer", {}, b'{"inputs": [], "parameters": {"num_samples": 2}}'


def hostile(lures=LURES):
    """What would have a careless service open, connect, run or unpickle something."""
    for lure in lures:
        there = quote(lure, safe="")
        for path in (f"/v2/models/{there}", f"{TINY}/versions/{there}", f"/{there}", f"/v2/repository/models/{there}"):
            yield "GET", path, {}, b""
            for verb in ("sample", "load", "unload", "infer"):
                yield "POST", f"{path}/{verb}", JSON, b"{}"
        yield "GET", f"/v2/models/{there}/preview.png", {}, b""
        tensor = {
            "name": lure,
            "datatype": lure,
            "shape": [1],
            "data": [lure],
            "parameters": {"shared_memory_region": lure},
        }
        for verb, fields in {
            "sample": {"outputs": [lure], "seed": lure, lure: lure},
            "encode": {"x": lure},
            "interpolate": {"path": lure, "start": {"x": lure}, "end": {"z": [lure]}},
            "infer": {"id": lure, "inputs": [tensor], "outputs": [tensor], "parameters": {"operation": lure}},
        }.items():
            yield "POST", f"{TINY}/{verb}", JSON, json.dumps(fields).encode()
            for field, value in fields.items():
                yield "POST", f"{TINY}/{verb}?file={there}", JSON, json.dumps({field: value}).encode()
    for content in (
        npy(np.array([Bait()], dtype=object), allow_pickle=True),
        pickle.dumps(Bait()),
        b"PK\3\4" + bytes(100),
        npy(np.float32(ROWS))[:-1],
        image(13_000, 13_000),
        image(2, 2, data=b""),
        b"\x89PNG\r\n\x1a\n" + bytes(50),
    ):
        for headers in (NPY, PNG, JSON, {"Content-Type": "multipart/form-data; boundary=b"}):
            yield "POST", f"{TINY}/encode", headers, content
    for header in ("X-Request-ID", "traceparent", "Origin", "Host", "Accept", "Authorization", "X-Forwarded-For"):
        yield "POST", f"{TINY}/sample", JSON | {header: "http://127.0.0.1:9/etc/passwd"}, b"{}"


def ask_all(client, requests):
    """The statuses; a request that httpx will not send is left out."""
    statuses = set()
    for method, path, headers, content in requests:
        try:
            statuses.add(client.request(method, path, headers=headers, content=content).status_code)
        except (httpx.InvalidURL, httpx.LocalProtocolError):
            statuses.add(0)
    return statuses


def reach_outside(model):
    tensor = onnx.TensorProto(name="w", data_type=1, dims=[1], data_location=onnx.TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    model.graph.initializer.append(tensor)


def swap(client, root, version):
    """A good version, one that is flipped, and one that reaches out of its file, one after the other."""
    for number, spoil in enumerate(
        (
            lambda folder: None,
            lambda folder: spoiling.flip(folder / "card.md"),
            lambda folder: spoiling.with_graph(folder, "encode.onnx", reach_outside),
        ),
        version,
    ):
        folder = tiny_bundle.publish(root.parent / "made", version=number)
        (spoil(folder) or folder).rename(root / "tiny" / str(number))
        wait_for(client, number)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_nothing_is_opened_outside_connected_to_started_or_unpickled(tmp_path):
    root, log = tmp_path / "bundles", tmp_path / "log"
    tiny_bundle.publish(root)
    log.touch()
    with (
        live_server("tests.audited_server", str(log), repository=root, device="cpu", watch_seconds=0.1) as server,
        server.client() as client,
    ):
        server.wait_until_ready()
        ask_all(client, (*proper(), *hostile(LURES[:1])))  # what is imported when it is first needed has been
        swap(client, root, 2)
        os.kill(server.pid, signal.SIGUSR1)
        assert ask_all(client, proper()) == {200}
        assert ask_all(client, hostile()) <= {0, 200, 400, 403, 404, 405, 406, 413, 415, 422}
        swap(client, root, 5)
        assert ask_all(client, proper()) == {200}
        before = log.read_text()
        os.kill(server.pid, signal.SIGUSR2)
        until = time.monotonic() + 30
        while "subprocess.Popen" not in log.read_text() and time.monotonic() < until:
            time.sleep(0.05)
        planted = [json.loads(line)[0] for line in log.read_text().splitlines()]
    assert before == ""
    assert {"open", "socket.connect", "subprocess.Popen"} <= set(planted)  # else nothing would have been seen before
