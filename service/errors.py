"""What a caller may meet: errors, their statuses, and the one JSON shape that they all have."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from models.errors import ReparamError
from service import refusals, trace
from service.refusals import Unavailable

_LONGEST_DETAIL = 800  # in bytes: it is sent twice, a quote doubles, and the whole answer keeps within 4 KiB


class MalformedBody(ReparamError):
    """Not JSON, not UTF-8, or nested too deep."""


class BodyTooLarge(ReparamError):
    """More bytes than the operator allows."""


class UnknownModel(ReparamError):
    """No such model or version, or none that could be loaded."""


class NoPreview(ReparamError):
    """A bundle without a picture."""


class NotAcceptable(ReparamError):
    """No answer type that the caller accepts."""


class UnsupportedMediaType(ReparamError):
    """A body type or encoding that is not taken."""


class InvalidInput(ReparamError):
    """Well-formed but wrong: a shape, a range, a name."""


class LimitExceeded(ReparamError):
    """More than the operator allows in one request."""


class AdminDisabled(ReparamError):
    """Something that only an operator who asked for it may do over HTTP."""


class CapabilityNotSupported(ReparamError):
    """An operation that the model lacks; `operations` are those that it has."""

    def __init__(self, detail: str, operations: Sequence[str]) -> None:
        super().__init__(detail)
        self.operations = list(operations)


class QueueFull(Unavailable):
    """More work waits than the operator allows."""


class Loading(Unavailable):
    """The models are still being loaded."""


class NotReady(Unavailable):
    """The service has nothing to serve."""


class DeadlinePassed(ReparamError):
    """The answer was not there in time."""


STATUS: dict[type[Exception], HTTPStatus] = {
    MalformedBody: HTTPStatus.BAD_REQUEST,
    refusals.MalformedRequest: HTTPStatus.BAD_REQUEST,
    refusals.HostNotAllowed: HTTPStatus.BAD_REQUEST,
    refusals.Unauthenticated: HTTPStatus.UNAUTHORIZED,
    refusals.ScopeMissing: HTTPStatus.FORBIDDEN,
    refusals.ForeignOrigin: HTTPStatus.FORBIDDEN,
    refusals.TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    refusals.HeadersTooLarge: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    BodyTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    AdminDisabled: HTTPStatus.FORBIDDEN,
    UnknownModel: HTTPStatus.NOT_FOUND,
    NoPreview: HTTPStatus.NOT_FOUND,
    NotAcceptable: HTTPStatus.NOT_ACCEPTABLE,
    UnsupportedMediaType: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidInput: HTTPStatus.UNPROCESSABLE_ENTITY,
    LimitExceeded: HTTPStatus.UNPROCESSABLE_ENTITY,
    CapabilityNotSupported: HTTPStatus.UNPROCESSABLE_ENTITY,
    refusals.RateExceeded: HTTPStatus.TOO_MANY_REQUESTS,
    refusals.TooManyConnections: HTTPStatus.SERVICE_UNAVAILABLE,
    refusals.AnswersUnread: HTTPStatus.SERVICE_UNAVAILABLE,
    QueueFull: HTTPStatus.SERVICE_UNAVAILABLE,
    Loading: HTTPStatus.SERVICE_UNAVAILABLE,
    NotReady: HTTPStatus.SERVICE_UNAVAILABLE,
    DeadlinePassed: HTTPStatus.GATEWAY_TIMEOUT,
}


def problem(status: HTTPStatus, detail: str, *, kind: str | None = None, **more: Any) -> Response:
    """An `application/problem+json` answer (RFC 9457); `error` repeats the detail for inference protocol clients."""
    title = kind or status.phrase
    detail = _shortened(detail)
    here = trace.current()
    here.problem = title
    content = {
        "type": f"urn:reparam:{title.lower().replace(' ', '-')}",
        "title": title,
        "status": int(status),
        "detail": detail,
        "error": detail,
        "request_id": here.request_id,
        **more,
    }
    return Response(orjson.dumps(content), int(status), media_type="application/problem+json")


def answer_to(error: Exception) -> Response:
    """The problem that an error becomes; one that no caller is meant to meet is a bug of ours."""
    if type(error) not in STATUS:
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "a bug in Reparam; the request was well-formed")
    more = {"operations": error.operations} if isinstance(error, CapabilityNotSupported) else {}
    response = problem(STATUS[type(error)], str(error), kind=_title(type(error)), **more)
    if isinstance(error, Unavailable):
        response.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, refusals.Unauthenticated):
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def refuse(place: Sequence[object], complaint: str) -> Response:
    """What is wrong with a field of the body; a key that the caller made up is named only if it is a plain word."""
    where = ".".join(part if _is_plain(part) else "?" for part in map(str, place))
    complaint = complaint.removeprefix("Value error, ")
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{where}: {complaint}", kind="Invalid Input")


def install(app: FastAPI) -> None:
    """Give every error that a route can raise its answer, those of the frameworks included."""
    for kind in STATUS:
        app.add_exception_handler(kind, _on_reparam_error)
    app.add_exception_handler(RequestValidationError, _on_validation_error)
    app.add_exception_handler(HTTPException, _on_http_exception)


async def _on_reparam_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ReparamError)
    return answer_to(error)


async def _on_validation_error(_: Request, error: Exception) -> Response:
    """The first complaint and its place."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    return refuse(first["loc"], first["msg"])


async def _on_http_exception(_: Request, error: Exception) -> Response:
    """What Starlette and FastAPI refuse by themselves: unknown routes and methods."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    response = problem(status, _DETAILS.get(status, status.description or status.phrase))
    response.headers.update(error.headers or {})
    return response


_DETAILS = {
    HTTPStatus.NOT_FOUND: "there is no such route; /openapi.json lists them",
    HTTPStatus.METHOD_NOT_ALLOWED: "this route takes other methods; Allow lists them",
}


def _shortened(detail: str) -> str:
    """Printable, so that nothing but a quote or a backslash grows in JSON, and cut between characters."""
    printable = "".join(letter if letter.isprintable() else " " for letter in detail)
    return printable.encode()[:_LONGEST_DETAIL].decode(errors="ignore")


def _title(kind: type[Exception]) -> str:
    """CapabilityNotSupported -> Capability Not Supported."""
    return "".join(f" {letter}" if letter.isupper() else letter for letter in kind.__name__).strip()


def _is_plain(part: str) -> bool:
    return part.isascii() and part.replace("_", "").isalnum() and len(part) <= 32
