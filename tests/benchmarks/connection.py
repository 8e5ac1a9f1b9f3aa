"""One kept-alive connection to a server: the least that a client costs, so that the server is what is measured."""

import asyncio
import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: bytes


def post(path: str, body: Any) -> bytes:
    """A request of JSON as it goes over the wire."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


class Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, address: str) -> "Connection":
        """`address` is host:port."""
        host, _, port = address.partition(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=2**26))

    async def ask(self, request: bytes) -> Answer:
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        lines = head.lower().split(b"\r\n")
        (length,) = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
        return Answer(int(lines[0].split()[1]), await self._reader.readexactly(length))

    def close(self) -> None:
        self._writer.close()
