"""What comes too slowly, is too large or can be read in two ways is ended by the door, and others never notice."""

import asyncio
import socket
import sys
from contextlib import closing

import psutil
import pytest

from tests.service.wire import HEAD, LIVE, listening

QUICK = {"header_seconds": 0.3, "body_seconds": 0.3, "receive_seconds": 0.6, "write_seconds": 0.3}
GET = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def drip(wire, head, piece):
    """A byte or two at a time, for as long as the server listens; what it says at the end."""
    reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
    with closing(writer):
        writer.write(head)
        async with asyncio.timeout(30):
            answer = asyncio.create_task(reader.read())
            while not answer.done():
                writer.write(piece)
                await asyncio.sleep(0.02)
            return await answer


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", 0),
        (b"G", 408),
        (b"GET /livez HTTP/1.1\r\n", 408),
        (GET, 408),
        (HEAD + b"Content-Length: 2\r\n\r\n", 408),
        (HEAD + b"Content-Length: 2\r\n\r\n{", 408),
        (CHUNKED, 408),
        (CHUNKED + b"1\r\n{\r\n", 408),
    ],
)
async def test_caller_who_stops_midway_is_let_go(repository, sent, status):
    async with listening(repository, **QUICK) as wire:
        answer = await wire.ask(sent)
        assert (answer.status, answer.is_closed) == (status, True)
        if status:
            assert answer.problem()["type"] == "urn:reparam:too-slow"
            assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"", b"\r\n"),
        (GET + b"A: ", b"a"),
        (HEAD + b"Content-Length: 4000\r\n\r\n", b" "),
        (CHUNKED, b"1\r\n \r\n"),
    ],
)
async def test_caller_who_drips_is_let_go(repository, head, piece):
    async with listening(repository, **QUICK) as wire:
        said = await drip(wire, head, piece)
        assert said[:12] == (b"HTTP/1.1 408" if head else b"")


async def test_slow_handler_is_not_a_slow_caller(repository, monkeypatch):
    async def slowly(self, rows, draw):
        await asyncio.sleep(1.5)
        raise RuntimeError

    monkeypatch.setattr("service.served_model.ServedModel.sample", slowly)
    async with listening(repository, **QUICK) as wire:
        assert (await wire.ask(HEAD + b"Content-Length: 2\r\n\r\n{}")).status == 500


async def test_deadline_begins_anew_with_every_request_of_a_connection(repository):
    async with listening(repository, **QUICK) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        with closing(writer):
            for _ in range(8):
                writer.write(LIVE)
                assert (await reader.readuntil(b"}"))[:12] == b"HTTP/1.1 200"
                await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    "parts",
    [
        [GET, b"A: ", *[b"a" * 2**20] * 4],
        [GET + b"A: " + b"a" * 40_000 + b"\r\n\r\n"],
        [b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n"],
        [GET, b"a: b\r\n" * 100, b"\r\n"],
        [GET, *[b"a: b\r\n" * 10_000] * 10, b"\r\n"],
    ],
    ids=["endless", "large", "path", "one more than allowed", "100,000"],
)
async def test_headers_over_a_limit_are_431(repository, parts):
    async with listening(repository) as wire:
        answer = await wire.ask(*parts)
        assert (answer.status, answer.is_closed) == (431, True)
        assert answer.problem()["type"] == "urn:reparam:headers-too-large"
        assert len(answer.content) <= 4096


async def test_headers_at_the_limits_are_taken(repository):
    async with listening(repository, header_bytes=1000, headers=10) as wire:
        many = GET + b"a: b\r\n" * 9 + b"\r\n"
        assert (await wire.ask(many)).status == 200
        room = 1000 - len(b"/livez" + b"host" + b"localhost" + b"a")
        assert (await wire.ask(GET + b"a: " + b"x" * room + b"\r\n\r\n")).status == 200
        assert (await wire.ask(GET + b"a: " + b"x" * (room + 300) + b"\r\n\r\n")).status == 431


@pytest.mark.parametrize(("ranges", "status"), [(2_000, 200), (10_000, 431)])
async def test_flood_of_ranges_is_passed_over_or_too_large(repository, ranges, status):
    async with listening(repository) as wire:
        asked = b"GET /v2/models HTTP/1.1\r\nHost: localhost\r\nRange: bytes=" + b"0-0," * ranges + b"0-0\r\n\r\n"
        assert (await wire.ask(asked)).status == status


async def test_flood_of_chunks_is_413(repository):
    async with listening(repository) as wire:
        answer = await wire.ask(CHUNKED, *[b"1\r\n \r\n" * 10_000] * 20)
        assert (answer.status, answer.is_closed) == (413, True)
        assert "chunks" in answer.problem()["detail"]


async def test_chunks_within_the_limit_are_taken(repository):
    async with listening(repository, chunks=20) as wire:
        last = b"2\r\n{}\r\n0\r\n\r\n"
        assert (await wire.ask(CHUNKED + b"1\r\n \r\n" * 18 + last)).status == 200
        assert (await wire.ask(CHUNKED + b"1\r\n \r\n" * 19 + last)).status == 413


@pytest.mark.parametrize("head", [HEAD + b"Content-Length: 5000\r\n\r\n", CHUNKED])
async def test_body_over_the_limit_is_413_before_it_is_whole(repository, head):
    """Of the body that comes in chunks one never ends."""
    async with listening(repository, json_body_bytes=1000) as wire:
        body = b"3e8\r\n" + b" " * 1000 + b"\r\n"
        assert (await wire.ask(head, body, body)).status == 413


PAIRS = {
    "length and chunks": b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}",
    "chunks and length": b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "the same length twice": b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "a list of lengths": b"Content-Length: 2, 2\r\n\r\n{}",
    "a signed length": b"Content-Length: +2\r\n\r\n{}",
    "a negative length": b"Content-Length: -2\r\n\r\n{}",
    "a length in hexadecimal": b"Content-Length: 0x2\r\n\r\n{}",
    "space before the colon": b"Content-Length : 2\r\n\r\n{}",
    "a folded header": b"Content-Length: 2\r\nA: b\r\n c\r\n\r\n{}",
    "an unknown coding": b"Transfer-Encoding: xchunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a coding before chunks": b"Transfer-Encoding: gzip, chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "a coding behind chunks": b"Transfer-Encoding: chunked, identity\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks twice": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "bare LF behind a header": b"A: b\nContent-Length: 2\r\n\r\n{}",
    "bare LF before the body": b"Content-Length: 2\r\n\n{}",
    "bare CR in a header": b"A: b\rc\r\nContent-Length: 2\r\n\r\n{}",
    "NUL in a header": b"A: b\x00c\r\nContent-Length: 2\r\n\r\n{}",
    "bare LF behind a chunk's size": b"Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n",
    "bare LF in a chunk's extension": b"Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than it says": b"Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n",
    "a negative chunk": b"Transfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
    "a chunk of 2**68 bytes": b"Transfer-Encoding: chunked\r\n\r\n" + b"f" * 17 + b"\r\n{}",
    "headers behind the body": b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-API-Key: a\r\n\r\n",
    "two hosts": b"Host: localhost\r\nContent-Length: 2\r\n\r\n{}",
    "a body and an upgrade": b"Connection: Upgrade\r\nUpgrade: h2c\r\nContent-Length: 2\r\n\r\n{}",
}


@pytest.mark.parametrize("pair", PAIRS)
async def test_what_two_servers_could_read_in_two_ways_is_refused(repository, pair):
    async with listening(repository) as wire:
        answer = await wire.ask(HEAD + PAIRS[pair])
        assert (answer.status, answer.is_closed) == (400, True)
        assert answer.problem()["type"] == "urn:reparam:malformed-request"
        assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "head",
    [
        b"GET /livez HTTP/1.1\nHost: localhost\n\n",
        b"GET /\x00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\x1b[2J HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\x7f HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /\xff HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n\r\n",
        b"GET /livez HTTP/2.0\r\nHost: localhost\r\n\r\n",
        b"GET /livez HTTP/9.9\r\nHost: localhost\r\n\r\n",
        b"GET /livez\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT localhost:1 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"FOO /livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"POST /livez HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
async def test_what_is_no_request_is_refused(repository, head):
    async with listening(repository) as wire:
        answer = await wire.ask(head)
        assert (answer.status, answer.is_closed) == (400, True)
        assert answer.problem()["type"] == "urn:reparam:malformed-request"


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /livez HTTP/1.0\r\n\r\n",
        b"\r\n" + LIVE,
        b"GET http://localhost/livez HTTP/1.1\r\nHost: localhost\r\n\r\n",
        GET + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        GET + b"Expect: 100-continue\r\n\r\n",
    ],
)
async def test_what_is_rare_and_plain_is_taken(repository, request_):
    async with listening(repository) as wire:
        assert (await wire.ask(request_)).status == 200


async def test_answer_to_an_earlier_request_is_not_torn_by_a_bad_one_behind_it(repository):
    async with listening(repository) as wire:
        reader, writer = await asyncio.open_connection("127.0.0.1", wire.port)
        with closing(writer):
            writer.write(HEAD + b"Content-Length: 2\r\n\r\n{}" + b"GET / HTTP/1.1\nHost: a\n\n")
            said = await reader.read()
        assert said.count(b"HTTP/1.1 ") == 1
        assert said.startswith(b"HTTP/1.1 200")
        assert said.endswith(b"}")


async def test_connections_over_the_limit_are_told_to_come_back(repository):
    async with listening(repository, connections=2) as wire:
        held = [await asyncio.open_connection("127.0.0.1", wire.port) for _ in range(2)]
        await asyncio.sleep(0.05)
        answer = await wire.ask()
        assert (answer.status, answer.is_closed) == (503, True)
        assert int(answer.headers["retry-after"]) >= 1
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert (await wire.ask(LIVE)).status == 200


async def test_one_address_leaves_connections_for_others(repository):
    async with listening(repository, connections=4, connections_per_address=2) as wire:
        held = [await asyncio.open_connection("127.0.0.1", wire.port) for _ in range(2)]
        for reader, writer in held:
            writer.write(LIVE)
            assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        refused = await wire.ask()
        assert (refused.status, refused.headers["retry-after"]) == (503, "1")
        assert refused.problem()["detail"] == "your address has 2 connections; use them again, or close one"
        if sys.platform == "linux":  # which has all of 127.0.0.0/8 as it comes
            assert (await wire.ask(LIVE, source="127.0.0.2")).status == 200
        for _, writer in held:
            writer.close()
            await writer.wait_closed()
        await asyncio.sleep(0.05)
        assert (await wire.ask(LIVE)).status == 200


async def test_caller_who_never_reads_is_let_go(repository):
    """More than what the system's buffers hold of an answer stays with the service until then."""
    async with listening(repository, **QUICK, json_body_bytes=2**24) as wire:
        loop = asyncio.get_running_loop()
        with socket.socket() as caller:
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.setblocking(False)
            await loop.sock_connect(caller, ("127.0.0.1", wire.port))
            body = b'{"seed": 1, "num_samples": 4096}'
            ask = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
            await loop.sock_sendall(caller, ask * 40)
            async with asyncio.timeout(30):
                while wire.app.state.metrics.render().count(b"reparam_batch_rows_count") == 0 or await connected(wire):
                    await asyncio.sleep(0.05)


async def connected(wire):
    """Whether another than the one that asks is still there."""
    ours = [c for c in psutil.Process().net_connections("tcp") if c.laddr and c.laddr.port == wire.port]
    return any(c.status == psutil.CONN_ESTABLISHED for c in ours)
