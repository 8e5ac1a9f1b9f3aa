"""What callers do not read has a limit, for all of them together, and small answers never notice."""

import asyncio
import json
import socket
from contextlib import ExitStack

import numpy as np
import pytest
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from service.metrics import Metrics
from service.portions import Portions
from tests.service.wire import HEAD, LIVE, listening

MEBIBYTE = 2**20


class Caller:
    """Takes an answer as far as it is let."""

    def __init__(self, reads=True):
        self.reads = asyncio.Event()
        self.sent = []
        if reads:
            self.reads.set()

    async def send(self, message):
        self.sent.append(message)
        await self.reads.wait()

    @property
    def status(self):
        return self.sent[0]["status"]

    @property
    def body(self):
        return b"".join(message["body"] for message in self.sent[1:])


async def ask(portions, caller):
    await portions({"type": "http"}, None, caller.send)


def answering(response, most=3 * MEBIBYTE):
    return Portions(response, most, Metrics())


@pytest.fixture
def large():
    return answering(Response(bytes(2 * MEBIBYTE)))


async def test_large_answer_arrives_as_it_is_in_portions(large):
    caller = Caller()
    await ask(large, caller)
    assert caller.body == bytes(2 * MEBIBYTE)
    assert [message["more_body"] for message in caller.sent[1:]] == [True, True, True, False]
    assert large.unread == 0


async def test_while_others_are_unread_a_large_answer_is_refused_and_a_small_one_is_not(large):
    slow, late, small = Caller(reads=False), Caller(), Caller()
    asking = asyncio.create_task(ask(large, slow))
    await asyncio.sleep(0)
    assert large.unread == 2 * MEBIBYTE
    await ask(large, late)
    assert late.status == 503
    assert dict(late.sent[0]["headers"])[b"retry-after"] == b"1"
    assert json.loads(late.body)["type"] == "urn:reparam:answers-unread"
    large._app = Response(bytes(1000))
    await ask(large, small)
    assert small.body == bytes(1000)
    slow.reads.set()
    await asking
    assert slow.body == bytes(2 * MEBIBYTE)
    assert large.unread == 0


async def test_single_answer_is_let_out_however_large():
    portions, caller = answering(Response(bytes(4 * MEBIBYTE))), Caller()
    await ask(portions, caller)
    assert caller.body == bytes(4 * MEBIBYTE)


async def test_caller_who_leaves_gives_its_room_back(large):
    asking = asyncio.create_task(ask(large, Caller(reads=False)))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert large.unread == 0


async def test_stream_that_meets_the_limit_ends_with_a_problem():
    """What it has not computed yet is never computed."""
    computed = []

    async def lines():
        for number in range(10):
            computed.append(number)
            yield b"1" * MEBIBYTE + b"\n"

    portions, slow, other = answering(Response(bytes(3 * MEBIBYTE - 1))), Caller(reads=False), Caller()
    asking = asyncio.create_task(ask(portions, slow))
    await asyncio.sleep(0)
    portions._app = lambda scope, receive, send: StreamingResponse(lines()).stream_response(send)
    with pytest.raises(ClientDisconnect):
        await ask(portions, other)
    assert json.loads(other.body)["status"] == 503
    assert other.sent[-1]["more_body"] is False
    assert computed == [0]
    slow.reads.set()
    await asking
    assert portions.unread == 0


async def test_callers_who_never_read_hold_no_more_than_the_limit_and_are_let_go(repository, monkeypatch):
    """Each answer is larger than the system's buffers, which hold some of it as well."""

    async def much(self, rows, draw, outputs):
        return {"x": np.zeros((2 * MEBIBYTE, 1), np.float32)}

    monkeypatch.setattr("service.served_model.ServedModel.sample", much)
    asked = HEAD + b"Accept: application/x-npy\r\nContent-Length: 18\r\n\r\n" + b'{"outputs": ["x"]}'
    async with listening(repository, unread_bytes=20 * MEBIBYTE, write_seconds=0.5) as wire:
        portions = found(wire.app.middleware_stack, Portions)
        with ExitStack() as held:
            for _ in range(20):
                await ask_and_never_read(held.enter_context(socket.socket()), wire.port, asked)
            most = 0
            async with asyncio.timeout(30):
                while rejected(wire) == 0 or portions.unread:
                    most = max(most, portions.unread)
                    await asyncio.sleep(0.01)
            assert (await wire.ask(LIVE)).status == 200
        assert 8 * MEBIBYTE < most <= 20 * MEBIBYTE
        assert rejected(wire) >= 10


async def ask_and_never_read(caller, port, asked):
    loop = asyncio.get_running_loop()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    caller.setblocking(False)
    await loop.sock_connect(caller, ("127.0.0.1", port))
    await loop.sock_sendall(caller, asked)


def rejected(wire):
    return wire.app.state.metrics.rejected.labels("unread")._value.get()


def found(app, kind):
    """The middleware of that kind."""
    while not isinstance(app, kind):
        app = getattr(app, "_app", None) or app.app
    return app
