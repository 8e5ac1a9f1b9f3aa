"""One kept-alive connection: the least that a client costs, so that the service is what is measured."""

import asyncio
import ssl
from typing import NamedTuple
from urllib.parse import urlsplit

_MOST_HEAD_BYTES = 2**16
BROKEN = (OSError, EOFError, ValueError, asyncio.LimitOverrunError)  # the connection, or what came over it


class Place(NamedTuple):
    """Where a service listens; `path` stands in front of its own."""

    host: str
    port: int
    is_tls: bool
    path: str

    @property
    def authority(self) -> str:
        """As Host says it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _port(self.is_tls) else f"{host}:{self.port}"


class Answer(NamedTuple):
    """`retry_after` is in seconds, None where the answer does not say."""

    status: int
    retry_after: float | None = None


def place_of(url: str) -> Place:
    """ValueError unless it is the address of a service."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url} is no address of a service; one is http://127.0.0.1:8000")
    is_tls = parts.scheme == "https"
    return Place(parts.hostname, parts.port or _port(is_tls), is_tls, parts.path.rstrip("/"))


def written(place: Place, path: str, headers: dict[str, str], content: bytes) -> bytes:
    """A POST as it goes over the wire."""
    lines = [f"POST {place.path}{path} HTTP/1.1", f"Host: {place.authority}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode("latin-1") + content


class Connection:
    """Opened when it is needed, and again where the service has closed it."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, request: bytes) -> Answer:
        """The answer once all of it is here; one of BROKEN if it does not come."""
        if self._streams is None or self._streams[0].at_eof():
            self.close()
            place = self._place
            context = ssl.create_default_context() if place.is_tls else None
            self._streams = await asyncio.open_connection(place.host, place.port, ssl=context, limit=_MOST_HEAD_BYTES)
        reader, writer = self._streams
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        fields = dict(line.split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
        await _read_body(reader, fields)
        if fields.get(b"connection", b"").strip() == b"close":
            self.close()
        return Answer(int(head[9:12]), _seconds(fields.get(b"retry-after", b"")))

    def close(self) -> None:
        if self._streams:
            self._streams[1].close()
        self._streams = None


async def _read_body(reader: asyncio.StreamReader, fields: dict[bytes, bytes]) -> None:
    if fields.get(b"transfer-encoding", b"").strip() != b"chunked":
        await reader.readexactly(int(fields[b"content-length"]) if b"content-length" in fields else 0)
        return
    while size := int(await reader.readuntil(b"\r\n"), 16):
        await reader.readexactly(size + 2)
    await reader.readuntil(b"\r\n")


def _seconds(text: bytes) -> float | None:
    return float(text) if text.strip().isdigit() else None


def _port(is_tls: bool) -> int:
    return 443 if is_tls else 80
