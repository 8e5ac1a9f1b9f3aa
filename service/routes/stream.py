"""An answer line by line: rows leave as they are ready, and no more of them is held than one part."""

import logging
import time
from collections.abc import AsyncIterator, Iterator

from starlette.responses import Response, StreamingResponse

from service import trace
from service.encoding import lines
from service.errors import STATUS, answer_to
from service.routes.negotiation import LINES
from service.routes.question import Question
from service.settings import Settings

_log = logging.getLogger("reparam")


async def stream(question: Question, _: Settings) -> Response:
    """Begun when the first part is there, so that what fails until then has its own status."""
    await question.check()
    parts = question.parts()
    first = await _lines(question, next(parts))
    return StreamingResponse(_all_lines(question, first, parts), media_type=LINES)


async def _all_lines(question: Question, first: bytes, parts: Iterator[slice]) -> AsyncIterator[bytes]:
    """The last line is a problem if a part fails; the status has left long before."""
    yield first
    try:
        for part in parts:
            yield await _lines(question, part)
    except Exception as error:  # the request boundary
        if type(error) not in STATUS:
            _log.exception("request %s met a bug", trace.current().request_id)
        yield bytes(answer_to(error).body) + b"\n"


async def _lines(question: Question, part: slice) -> bytes:
    fields = await question.answer(part)
    started = time.perf_counter()
    content = lines.write(fields, question.draw.index + part.start)
    trace.current().encode += time.perf_counter() - started
    return content
