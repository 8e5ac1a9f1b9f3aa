"""What a run has found so far, on disk: a line that says of what, then parts, each with its length and checksum."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO
from zlib import crc32

from models.errors import ReparamError
from service.bulk.whole_file import sync_folder

_LONGEST_LINE = 2**16


class Partial:
    """Opened where it was left: a part that was not written whole is cut off."""

    def __init__(self, path: Path, header: Mapping[str, Any]) -> None:
        self._path = path
        self._file: BinaryIO = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
        self.rows = 0
        try:
            self._lock()
            self._begin(header)
        except BaseException:
            self._file.close()
            raise
        self._start = self._file.tell()
        for _ in self.parts():
            pass
        self._file.truncate()
        sync_folder(path)

    def append(self, rows: range, content: bytes) -> None:
        """On disk when this returns."""
        self._file.write(_line(_announced(rows, content)) + content)
        self._sync()
        self.rows = rows.stop

    def parts(self) -> Iterator[bytes]:
        """From the first on; the file then stands behind the last whole one."""
        self._file.seek(self._start)
        self.rows = 0
        while part := self._next():
            yield part
        self._file.seek(self._behind)

    def close(self) -> None:
        self._file.close()

    def delete(self) -> None:
        self._path.unlink()

    def _next(self) -> bytes | None:
        """The part that begins here, if it is whole and of the rows that come next."""
        self._behind = self._file.tell()
        try:
            said = json.loads(self._file.readline(_LONGEST_LINE))
            content = self._file.read(said["bytes"])
            rows = range(self.rows, self.rows + said["rows"])
        except (ValueError, KeyError, TypeError):
            return None
        if said != _announced(rows, content) or not content:
            return None
        self.rows = rows.stop
        return content

    def _lock(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ReparamError(f"another run is writing {self._path}") from error

    def _begin(self, header: Mapping[str, Any]) -> None:
        """Write the header if there is none; ReparamError if there is another."""
        wanted, found = _line(header), self._file.readline(_LONGEST_LINE)
        if found == wanted:
            return
        if not wanted.startswith(found):  # else its writing was cut short
            raise ReparamError(f"{self._path} {_difference(header, found)}; give what it was begun with, or delete it")
        self._file.seek(0)
        self._file.truncate()
        self._file.write(wanted)
        self._sync()

    def _sync(self) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())


def _line(said: Mapping[str, Any]) -> bytes:
    return json.dumps(said).encode() + b"\n"


def _announced(rows: range, content: bytes) -> dict[str, int]:
    return {"row": rows.start, "rows": len(rows), "bytes": len(content), "crc32": crc32(content)}


def _difference(header: Mapping[str, Any], line: bytes) -> str:
    try:
        found = json.loads(line)
        name = next(name for name, value in header.items() if found.get(name) != value)
    except (ValueError, AttributeError, StopIteration):
        return "is no partial result of this command"
    return f"is of another run: its {name} is {found.get(name)}, not {header[name]}"
