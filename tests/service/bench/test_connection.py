"""Answers as servers and proxies frame them, and connections that end."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from service.bench.connection import BROKEN, Answer, Connection, Place, place_of, written


@asynccontextmanager
async def answering(*answers):
    """A server that gives these in turn, whatever comes, over as many connections as it takes."""
    left, opened = list(answers), []

    async def answer(reader, writer):
        opened.append(1)
        try:
            while left:
                await reader.readuntil(b"\r\n\r\n")
                content = left.pop(0)
                writer.write(content)
                if not content or b"close" in content:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        yield Place("127.0.0.1", server.sockets[0].getsockname()[1], False, ""), opened


def plain(status, *headers, body=b"hello"):
    lines = [b"HTTP/1.1 %d x" % status, b"Content-Length: %d" % len(body), *headers, b"", body]
    return b"\r\n".join(lines)


async def ask(place, times):
    connection = Connection(place)
    try:
        return [await connection.ask(written(place, "/x", {}, b"")) for _ in range(times)]
    finally:
        connection.close()


async def test_one_connection_serves_many_requests():
    async with answering(plain(200), plain(503, b"Retry-After: 7"), plain(204, body=b"")) as (place, opened):
        assert await ask(place, 3) == [Answer(200), Answer(503, 7.0), Answer(204)]
        assert len(opened) == 1


async def test_a_body_in_chunks_is_read_to_its_end():
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\na\r\n0123456789\r\n0\r\n\r\n"
    async with answering(chunked, plain(404)) as (place, opened):
        assert await ask(place, 2) == [Answer(200), Answer(404)]
        assert len(opened) == 1


async def test_a_connection_that_the_server_closes_is_opened_again():
    async with answering(plain(200, b"Connection: close"), plain(200)) as (place, opened):
        assert await ask(place, 2) == [Answer(200), Answer(200)]
        assert len(opened) == 2


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 abc\r\nclose: 1\r\n\r\n", b"nothing\r\nclose: 1\r\n\r\n"])
async def test_what_is_no_answer_is_a_broken_connection(answer):
    async with answering(answer) as (place, _):
        with pytest.raises(BROKEN):
            await ask(place, 1)


@pytest.mark.parametrize(
    ("url", "place", "authority"),
    [
        ("http://localhost:8000", Place("localhost", 8000, False, ""), "localhost:8000"),
        ("https://models.example/reparam/", Place("models.example", 443, True, "/reparam"), "models.example"),
        ("http://[::1]:8000", Place("::1", 8000, False, ""), "[::1]:8000"),
    ],
)
def test_an_address_is_read(url, place, authority):
    assert place_of(url) == place
    assert place.authority == authority
    assert f"POST {place.path}/x HTTP/1.1\r\nHost: {authority}\r\n".encode() in written(place, "/x", {}, b"")


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://localhost", "http://", ""])
def test_what_is_no_address_is_refused_with_one_that_is(url):
    with pytest.raises(ValueError, match=r"one is http://127\.0\.0\.1:8000"):
        place_of(url)
