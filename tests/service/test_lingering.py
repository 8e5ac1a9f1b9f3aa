"""The last answer reaches a caller that is still sending."""

import asyncio

from service import lingering
from service.lingering import Lingering


class Refusing(asyncio.Protocol):
    """Answers before it has read anything, and ends."""

    def connection_made(self, transport):
        transport.pause_reading()
        closing = Lingering(transport, asyncio.get_running_loop())
        closing.write(b"no")
        closing.close()
        self.is_closing = transport.is_closing


async def test_answer_arrives_although_the_caller_still_sends():
    server = await asyncio.get_running_loop().create_server(Refusing, "127.0.0.1", 0)
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        for _ in range(16):
            writer.write(bytes(2**16))
            await writer.drain()
        assert await reader.read() == b"no"
        writer.close()


async def test_caller_who_never_ends_is_ended(monkeypatch):
    monkeypatch.setattr(lingering, "_SECONDS", 0.02)
    protocols = []
    server = await asyncio.get_running_loop().create_server(
        lambda: protocols.append(Refusing()) or protocols[-1], "127.0.0.1", 0
    )
    async with server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b"no"
        async with asyncio.timeout(10):
            while not protocols[0].is_closing():
                await asyncio.sleep(0.01)
        writer.close()


class Closed:
    """A transport on its way out, of which nothing may be asked any more."""

    def is_closing(self):
        return True


async def test_what_is_closing_is_left_alone():
    closing = Lingering(Closed(), asyncio.get_running_loop())
    closing.close()
    assert closing.is_closing()
