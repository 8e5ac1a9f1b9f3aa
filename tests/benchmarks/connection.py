"""One kept-alive connection to a server: the least that a client costs, so that the server is what is measured."""

import asyncio
import json
from typing import Any, NamedTuple


class Answer(NamedTuple):
    status: int
    body: bytes
    head: bytes  # in lower case

    def header(self, name: str) -> str:
        """Empty if there is none of that name."""
        lines = self.head.decode("latin-1").split("\r\n")[1:]
        return next((value.strip() for key, _, value in (line.partition(":") for line in lines) if key == name), "")


def post(path: str, body: Any, accept: str = "application/json") -> bytes:
    """A request of JSON as it goes over the wire."""
    return request(path, json.dumps(body).encode(), {"Content-Type": "application/json", "Accept": accept})


def request(path: str, content: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


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
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        lines = head.split(b"\r\n")
        status = int(lines[0].split()[1])
        if b"transfer-encoding: chunked" in lines:
            return Answer(status, b"".join([chunk async for chunk in self._chunks()]), head)
        (length,) = [int(line.partition(b":")[2]) for line in lines if line.startswith(b"content-length:")]
        return Answer(status, await self._reader.readexactly(length), head)

    async def _chunks(self):
        while size := int(await self._reader.readline(), 16):
            yield await self._reader.readexactly(size)
            await self._reader.readline()
        await self._reader.readline()

    def close(self) -> None:
        self._writer.close()
