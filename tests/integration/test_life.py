"""The service leaves without losing a request, and lives on when a process of it dies."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException

import psutil
import pytest

from tests import tiny_bundle
from tests.live_server import ROOT, live_server

ASK = ("POST", "/v2/models/tiny/sample", '{"seed": 1}', {"Content-Type": "application/json"})
CLIENTS = 8


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    folder = tmp_path_factory.mktemp("life")
    tiny_bundle.publish(folder)
    tiny_bundle.publish(folder, "looping", operations=["decode"], loops=True)
    return folder


@contextmanager
def ready_server(root, **settings):
    with live_server(repository=root, device="cpu", **settings) as server:
        server.wait_until_ready()
        yield server


def ask(connection, *request):
    """The status, once the whole answer is there; a connection that the server closes is opened anew."""
    connection.request(*request)
    response = connection.getresponse()
    response.read()
    return response.status


def ask_while_ready(address):
    """The statuses of a client that goes elsewhere when it finds the service not ready."""
    statuses = []
    with closing(HTTPConnection(address, timeout=30)) as connection:
        while ask(connection, "GET", "/readyz") == 200:
            statuses += [ask(connection, *ASK) for _ in range(5)]
    return statuses


@pytest.mark.parametrize("workers", [1, 2])
def test_clients_that_look_whether_it_is_ready_lose_nothing_when_it_leaves(root, workers):
    with ready_server(root, drain_seconds=2, workers=workers) as server, ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(ask_while_ready, server.address) for _ in range(CLIENTS)]
        time.sleep(0.5)
        server.process.terminate()
        answered = [client.result() for client in clients]
        assert {status for statuses in answered for status in statuses} == {200}
        assert server.process.wait(60) == 0


def test_connections_are_closed_after_their_answer_while_it_leaves(root):
    with ready_server(root, drain_seconds=60) as server, closing(HTTPConnection(server.address)) as connection:
        assert ask(connection, *ASK) == 200
        assert connection.sock is not None
        server.process.terminate()
        while ask(connection, "GET", "/readyz") != 503:
            time.sleep(0.01)
        assert connection.sock is None, "the answer did not say Connection: close"
        assert ask(connection, *ASK) == 200
        server.process.terminate()
        assert server.process.wait(60) == -signal.SIGTERM


def test_what_is_under_way_is_answered_and_stalled_clients_do_not_hold_it_up(root):
    head = b"POST /v2/models/tiny/sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with ready_server(root, timeout_seconds=2) as server:
        stalled = [socket.create_connection(server.address.split(":")) for _ in range(20)]
        for number, connection in enumerate(stalled):
            connection.sendall((head + b"Content-Length: 100\r\n\r\n{")[: 20 if number % 2 else None])
        connection = HTTPConnection(server.address, timeout=30)
        stalled.append(connection)
        body = '{"z": [[1000, 0]]}'
        connection.request("POST", "/v2/models/looping/decode", body, {**ASK[3], "X-Request-Timeout-Ms": "1500"})
        time.sleep(0.3)
        server.process.terminate()
        assert connection.getresponse().status == 504, "a run without end is answered at its deadline"
        assert server.process.wait(60) == 0
        for connection in stalled:
            connection.close()


def test_worker_that_is_killed_loses_what_it_was_running_and_is_replaced(root):
    ending = threading.Event()

    def ask_on(address):
        statuses = []
        with closing(HTTPConnection(address, timeout=30)) as connection:
            while not ending.is_set():
                try:
                    statuses.append(ask(connection, *ASK))
                except (OSError, HTTPException):
                    statuses.append(0)
                    connection.close()
        return statuses

    with ready_server(root, workers=2) as server, ThreadPoolExecutor(CLIENTS) as threads:
        supervisor = psutil.Process(server.pid)
        before = workers_of(supervisor)
        clients = [threads.submit(ask_on, server.address) for _ in range(CLIENTS)]
        time.sleep(0.5)
        os.kill(min(before), signal.SIGKILL)
        after = workers_of(supervisor, without=min(before))
        time.sleep(0.5)
        ending.set()
        answered = [client.result() for client in clients]
        statuses = [status for each in answered for status in each]
        assert set(statuses) <= {0, 200}
        assert all(each.count(0) <= 1 for each in answered)
        assert after - before
        least = statuses.count(200) - statuses.count(0)  # a kill may come between an answer and its being counted
        until = time.monotonic() + 10
        while (counted := sum(_series(server, 'operation="sample"').values())) < least and time.monotonic() < until:
            time.sleep(0.05)
        assert least <= counted <= len(statuses)
        server.process.terminate()
        assert server.process.wait(60) == 0


def test_workers_count_together(root):
    with ready_server(root, workers=2) as server:
        workers_of(psutil.Process(server.pid))
        time.sleep(1)
        for _ in range(40):
            with closing(HTTPConnection(server.address)) as connection:
                assert ask(connection, *ASK) == 200
        time.sleep(0.5)
        with server.client() as client:
            for _ in range(5):
                [found] = client.get("/v2/models/tiny/stats", headers={"Connection": "close"}).json()["model_stats"]
                assert (found["inference_count"], found["execution_count"]) == (40, 40)
                assert found["inference_stats"]["success"]["count"] == 40
        assert list(_series(server, 'operation="sample"').values()) == [40]
        assert _series(server, 'model="tiny",state="READY"', "reparam_model_state") == {"tiny": 1}


def test_workers_that_cannot_serve_at_all_are_not_tried_again(root):
    flags = ["--workers", "2", "--port", "0", "--device", "cuda", "--repository", str(root)]
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    found = subprocess.run(
        [sys.executable, "-m", "service", *flags], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60
    )
    assert found.returncode == 1
    assert found.stderr.count("reparam-serve: device cuda") == 1


def workers_of(supervisor, without=None):
    """The pids of the two workers, once there are as many."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = {child.pid for child in supervisor.children()} - {without}
        if len(found) == 2:
            return found
        time.sleep(0.05)
    raise TimeoutError("there are not two workers")


def _series(server, labels, name="reparam_requests_total"):
    with server.client() as client:
        lines = client.get("/metrics").text.splitlines()
    found = (line.rsplit(" ", 1) for line in lines if line.startswith(name) and labels in line)
    return {series.partition('model="')[2].partition('"')[0]: float(value) for series, value in found}
