"""The playground: the page at `/` and the files that it consists of, read once at start."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

router = APIRouter(include_in_schema=False)

_FOLDER = Path(__file__).parents[1] / "playground"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class File(NamedTuple):
    """A file of the page; `tag` changes with its bytes."""

    content: bytes
    media_type: str
    tag: str


def _read(folder: Path) -> dict[str, File]:
    """By its place in the folder; what is not named here is not served."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix in _TYPES:
            content = path.read_bytes()
            tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            files[path.relative_to(folder).as_posix()] = File(content, _TYPES[path.suffix], tag)
    return files


FILES = _read(_FOLDER)


@router.get("/")
async def page(request: Request) -> Response:
    return _answer(request, FILES["index.html"])


@router.get("/static/{name:path}")
async def static(request: Request, name: str) -> Response:
    if name not in FILES:
        raise HTTPException(404, "the page has no such file")
    return _answer(request, FILES[name])


def _answer(request: Request, file: File) -> Response:
    """Asked for again each time, so that nobody sees half of an old page; unchanged files stay where they are."""
    headers = {"ETag": file.tag, "Cache-Control": "no-cache"}
    known = [tag.strip().removeprefix("W/") for tag in request.headers.get("if-none-match", "").split(",")]
    if file.tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(file.content, media_type=file.media_type, headers=headers)
