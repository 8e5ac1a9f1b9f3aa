"""What goes wrong between a client and its service."""

import json
from http import HTTPStatus
from typing import Any

import httpx

_LONGEST_TEXT = 500


class RequestFailed(Exception):
    """No answer was had; the message says why."""


class Unreachable(RequestFailed):
    """The service did not answer, or broke off."""


class Problem(RequestFailed):
    """The service refused. `operations` are those that the model has, where it lacks the one that was asked for."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        kind: str = "about:blank",
        request_id: str = "",
        operations: tuple[str, ...] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.type = kind
        self.request_id = request_id
        self.operations = operations

    def __str__(self) -> str:
        return f"{self.detail} ({self.status} {self.title})"


def problem_of(fields: dict[str, Any]) -> Problem:
    """From the service's own words."""
    return Problem(
        int(fields["status"]),
        fields["title"],
        fields["detail"],
        fields["type"],
        fields.get("request_id", ""),
        tuple(fields.get("operations") or ()),
    )


def problem_in(response: httpx.Response) -> Problem:
    """From an answer that is none, also where something between client and service gave it."""
    try:
        return problem_of(response.json())
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
        status = response.status_code
        title = HTTPStatus(status).phrase if status in set(HTTPStatus) else "Unknown"
        return Problem(status, title, response.text[:_LONGEST_TEXT] or title)
