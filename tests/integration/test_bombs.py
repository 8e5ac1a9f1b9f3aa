"""Bundles made to kill whoever loads them are refused, while the version before them serves on."""

import os
import threading
import time
from contextlib import closing
from http.client import HTTPConnection

import onnx
import psutil
import pytest
from onnx import TensorProto, helper

from tests import tiny_bundle
from tests.live_server import live_server
from tests.service import spoiling

ASK = ("POST", "/v2/models/tiny/decode", '{"z": [[0, 0]], "seed": 1}', {"Content-Type": "application/json"})
ENDLESS = 1000  # a code on which the looping decoder runs for ever
MIB = 2**20
MOST_GROWTH = 32 * MIB


def nest(model):
    """Graphs in graphs, two in each: a few kilobytes, and a day for some versions of ONNX Runtime."""
    graph = helper.make_graph([], "innermost", [], [])
    for _ in range(10):
        node = helper.make_node("If", ["c"], ["o"], then_branch=graph, else_branch=graph)
        graph = helper.make_graph([node], "outer", [], [])
    model.graph.node.extend(graph.node)


def promise(model):
    """One constant of 4 TiB, of which there is nothing."""
    model.graph.initializer.append(onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[2**20, 2**20]))


BOMBS = {
    2: (lambda folder: spoiling.with_graph(folder, "decode.onnx", nest), "graphs lie in graphs 11 deep"),
    3: (
        lambda folder: spoiling.with_golden(folder, lambda _, rows: rows.inputs["z"].fill(ENDLESS)),
        "loading it took more than 3 s",
    ),
    4: (
        lambda folder: spoiling.with_graph(folder, "decode.onnx", spoiling.ask_for(10**12)),
        "loading it takes more than 512 MiB of memory",
    ),
    5: (
        lambda folder: spoiling.with_graph(folder, "decode.onnx", spoiling.ask_for(2**30)),
        "loading it takes more than 512 MiB of memory",
    ),
    6: (lambda folder: os.truncate(folder / "decode.onnx", 2**31), "decode.onnx has 2,147,483,648 bytes"),
    7: (lambda folder: spoiling.with_graph(folder, "decode.onnx", promise), "268,435,456 are allowed"),
}


@pytest.fixture
def bombs(tmp_path):
    """Where nobody looks for them yet, by version."""
    folders = {}
    for version, (arm, _) in BOMBS.items():
        loops = version == 3  # on the codes of its golden rows, for 2^62 rounds
        folder = tiny_bundle.publish(tmp_path / "bombs", version=version, operations=["decode"], loops=loops)
        folders[version] = arm(folder) or folder
    return folders


@pytest.fixture
def server(tmp_path):
    root = tmp_path / "bundles"
    tiny_bundle.publish(root, operations=["decode"])
    settings = {"repository": root, "device": "cpu", "watch_seconds": 0.1, "load_seconds": 3, "load_bytes": 512 * MIB}
    with live_server(**settings) as running:
        running.wait_until_ready()
        yield running


class Asking(threading.Thread):
    """A caller who goes on asking; `answers` has the status and the version of each answer."""

    def __init__(self, address):
        super().__init__()
        self._address = address
        self._is_ending = threading.Event()
        self.answers = []

    def run(self):
        with closing(HTTPConnection(self._address, timeout=60)) as connection:
            while not self._is_ending.wait(0.02):
                connection.request(*ASK)
                response = connection.getresponse()
                response.read()
                self.answers.append((response.status, response.headers["Reparam-Model"]))

    def end(self):
        self._is_ending.set()
        self.join()


def states(client):
    """(state, reason) by version."""
    index = client.post("/v2/repository/index").json()
    return {int(entry["version"]): (entry["state"], entry.get("reason", "")) for entry in index}


def wait_for(client, *versions):
    """Until these versions have been tried."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = states(client)
        if all(found.get(version, ("LOADING",))[0] != "LOADING" for version in versions):
            return found
        time.sleep(0.05)
    raise TimeoutError(f"after a minute the versions were {found}")


def test_bombs_are_refused_while_the_old_version_serves(server, bombs, tmp_path):
    process = psutil.Process(server.pid)
    asking = Asking(server.address)
    asking.start()
    with server.client() as client:
        wait_for(client, 1)
        before = process.memory_info().rss
        for version, folder in bombs.items():
            folder.rename(tmp_path / "bundles" / "tiny" / str(version))
        found = wait_for(client, 1, *BOMBS)
        grown = process.memory_info().rss - before
        tiny_bundle.publish(tmp_path / "bundles", version=8, operations=["decode"])
        wait_for(client, 8)
        psutil.wait_procs(process.children(), timeout=10)  # that try nothing any more
    asking.end()
    assert found.pop(1) == ("READY", "")
    assert {state for state, _ in found.values()} == {"UNAVAILABLE"}
    assert {version: complaint in found[version][1] for version, (_, complaint) in BOMBS.items()} == dict.fromkeys(
        BOMBS, True
    ), found
    assert process.children() == [], "the endless one left its process alive"
    assert grown <= MOST_GROWTH
    assert set(asking.answers) == {(200, "tiny/1"), (200, "tiny/8")}
    assert asking.answers[-1] == (200, "tiny/8")
