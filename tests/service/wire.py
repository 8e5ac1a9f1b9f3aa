"""A service of tiny bundles behind a real socket, and requests as raw bytes."""

import asyncio
import json
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field

import uvicorn

from service.app import create_app
from service.door import Door
from service.settings import Settings

HEAD = b"POST /v2/models/tiny/sample HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
LIVE = b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n"


@dataclass
class Answer:
    """`is_closed`: the server has ended the connection behind it."""

    status: int = 0
    headers: dict = field(default_factory=dict)
    content: bytes = b""
    is_closed: bool = False

    def problem(self):
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.content)


class Wire:
    def __init__(self, app, port):
        self.app = app
        self.port = port

    async def ask(self, *parts, source=None):
        """Send the parts, read one answer, and see whether more can be asked; a Refused connection has status 0."""
        async with asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port, local_addr=source and (source, 0))
            with closing(writer):
                sending = asyncio.create_task(self._send(writer, parts))
                answer = await self._read(reader)
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
                if answer.status and answer.headers.get("connection") != "close":
                    writer.write(LIVE)
                    answer.is_closed = (await self._read(reader)).status == 0
                else:
                    answer.is_closed = await reader.read() == b""
        return answer

    async def _send(self, writer, parts):
        for part in parts:
            writer.write(part)
            await writer.drain()

    async def _read(self, reader):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return Answer()
        lines = head.decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:] if line)}
        return Answer(int(lines[0].split()[1]), headers, await reader.readexactly(int(headers["content-length"])))


@asynccontextmanager
async def listening(root, **settings):
    app = create_app(
        Settings(repository=root, **{"device": "cpu", "runs": 2, "journal": False, "loader": False} | settings)
    )
    options = {"http": Door, "ws": "none", "proxy_headers": False, "log_config": None, "access_log": False}
    server = uvicorn.Server(uvicorn.Config(app, port=0, **options))
    server.capture_signals = lambda: closing(_Nothing())
    running = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not (server.started and app.state.registry.loaded):
            await asyncio.sleep(0.005)
    try:
        yield Wire(app, server.servers[0].sockets[0].getsockname()[1])
    finally:
        server.should_exit = True
        async with asyncio.timeout(30):
            await running


class _Nothing:
    def close(self):
        pass
