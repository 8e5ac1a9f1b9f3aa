"""The headers of a request, read once for all who ask."""

from collections.abc import MutableMapping
from typing import Any


def headers(scope: MutableMapping[str, Any]) -> dict[bytes, bytes]:
    """By their names in small letters; of a name that comes twice the last. They stay with the request."""
    if "given" not in scope:
        scope["given"] = dict(scope["headers"])
    found: dict[bytes, bytes] = scope["given"]
    return found
