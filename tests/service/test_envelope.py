"""Every request has an id, a deadline and an answer, also where Reparam has a bug."""

import asyncio
import threading

import pytest

from service import batching
from service.envelope import Envelope
from service.graph import Graph
from service.registry import Registry
from service.served_model import ServedModel
from tests.service.conftest import serving
from tests.service.test_errors import MARKER, SAMPLE, check


class Held:
    """Runs of every graph wait until they are let go."""

    def __init__(self, monkeypatch):
        self.begun, self.let_go = threading.Event(), threading.Event()
        run = Graph.run

        def hold(graph, feeds, outputs, stop=None):
            self.begun.set()
            self.let_go.wait(10)
            return run(graph, feeds, outputs, stop)

        monkeypatch.setattr(Graph, "run", hold)
        monkeypatch.setattr(batching, "_SHORT", 0)  # none on the event loop, which would be held too

    async def until_begun(self):
        while not self.begun.is_set():
            await asyncio.sleep(0.001)


async def test_full_queue_is_unavailable_and_says_when_to_come_back(repository, monkeypatch):
    async with serving(repository, queue_rows=4) as service:
        held = Held(monkeypatch)
        running = asyncio.create_task(service.post("sample"))
        await held.until_begun()
        waiting = asyncio.create_task(service.post("sample", num_samples=4))
        await asyncio.sleep(0.02)
        refused = await service.post("sample")
        held.let_go.set()
        check(refused, 503, "queue-full")
        assert int(refused.headers["Retry-After"]) >= 1
        assert {response.status_code for response in await asyncio.gather(running, waiting)} == {200}


@pytest.mark.parametrize("header", ["X-Request-Timeout-Ms", "X-Envoy-Expected-Rq-Timeout-Ms"])
async def test_deadline_covers_the_run(service, monkeypatch, header):
    held = Held(monkeypatch)
    late = await service.post("sample", headers={header: "30"})
    held.let_go.set()
    check(late, 504, "deadline-passed")
    assert (await service.post("sample", headers={header: "30000"})).status_code == 200


async def test_deadline_covers_the_queue(service, monkeypatch):
    held = Held(monkeypatch)
    running = asyncio.create_task(service.post("sample"))
    await held.until_begun()
    check(await service.post("sample", headers={"X-Request-Timeout-Ms": "30"}), 504, "deadline-passed")
    held.let_go.set()
    assert (await running).status_code == 200


async def test_callers_deadline_cannot_exceed_the_operators(repository, monkeypatch):
    async with serving(repository, timeout_seconds=0.03) as service:
        held = Held(monkeypatch)
        late = await service.post("sample", headers={"X-Request-Timeout-Ms": "60000"})
        held.let_go.set()
        check(late, 504, "deadline-passed")


@pytest.mark.parametrize("nonsense", ["", "-1", "soon", "1e3", "9" * 400])
async def test_deadline_that_is_none_is_ignored(service, nonsense):
    assert (await service.post("sample", headers={"X-Request-Timeout-Ms": nonsense})).status_code == 200


async def test_bug_is_a_500_that_tells_nothing(service, monkeypatch):
    def bug(self, rows, draw):
        raise RuntimeError(f"{MARKER} in {__file__}")

    monkeypatch.setattr(ServedModel, "sample", bug)
    problem = check(await service.post("sample"), 500, "internal-server-error")
    assert "bug" in problem["detail"]


async def test_bug_of_any_route_is_a_500_and_no_layer_is_around_the_one_that_says_so(service, monkeypatch):
    def bug(self):
        raise RuntimeError(f"{MARKER} in {__file__}")

    assert type(service.app.build_middleware_stack()) is Envelope
    monkeypatch.setattr(Registry, "entries", bug)
    check(await service.client.get("/v2/models"), 500, "internal-server-error")


async def test_graph_that_fails_is_a_500(service, monkeypatch):
    monkeypatch.setattr(ServedModel, "_noise", lambda *_: {})
    check(await service.post("sample"), 500, "internal-server-error")


@pytest.mark.parametrize(("given", "kept"), [("a-1._Z", True), ("x" * 128, True), ("x" * 129, False), ("a b", False)])
async def test_request_id_is_the_callers_if_it_is_harmless(service, given, kept):
    response = await service.post("sample", headers={"X-Request-ID": given})
    assert (response.headers["X-Request-ID"] == given) == kept


async def test_caller_who_hangs_up_while_sending_is_no_bug(service, caplog):
    async def receive():
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": SAMPLE, "raw_path": SAMPLE.encode(), "query_string": b""}
    scope |= {"headers": [(b"content-type", b"application/json")], "server": ("r", 80), "http_version": "1.1"}
    scope |= {"scheme": "http", "root_path": ""}
    sent = []
    before = (await service.series()).get('reparam_cancelled_total{stage="body"}', 0)
    await service.app(scope, receive, sent.append)
    assert sent == []
    assert "bug" not in caplog.text
    assert (await service.series())['reparam_cancelled_total{stage="body"}'] == before + 1


class Caller:
    """Sends a whole request and hangs up when told to."""

    def __init__(self, body):
        self.body = body
        self.hangs_up = asyncio.Event()
        self.sent = []

    async def receive(self):
        if self.body is None:
            await self.hangs_up.wait()
            return {"type": "http.disconnect"}
        body, self.body = self.body, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message):
        self.sent.append(message)


async def test_caller_who_hangs_up_takes_its_run_with_it(service):
    """The run would end with the deadline else, after a minute."""
    run = asyncio.Event()

    async def forever(self, rows, draw, outputs):
        try:
            await asyncio.Event().wait()
        finally:
            run.set()

    caller = Caller(b"{}")
    scope = {"type": "http", "method": "POST", "path": SAMPLE, "raw_path": SAMPLE.encode(), "query_string": b""}
    scope |= {"headers": [(b"content-type", b"application/json")], "server": ("r", 80), "http_version": "1.1"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ServedModel, "sample", forever)
        asked = asyncio.create_task(
            service.app(scope | {"scheme": "http", "root_path": ""}, caller.receive, caller.send)
        )
        await asyncio.sleep(0.1)
        assert not run.is_set()
        caller.hangs_up.set()
        async with asyncio.timeout(10):
            await asked
    assert run.is_set()
    assert caller.sent == []
    label = 'reparam_requests_total{code="499",model="tiny",operation="sample",version="1"}'
    assert (await service.series())[label] >= 1
