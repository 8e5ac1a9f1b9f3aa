"""What a browser is told with every answer, and which pages may have it ask."""

from service.refusals import ForeignOrigin

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

_API = "default-src 'none'; frame-ancestors 'none'"
_PAGE = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
_VIEWER = (
    "default-src 'none'; connect-src 'self'; img-src data: https://fastapi.tiangolo.com; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; style-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

Headers = tuple[tuple[bytes, bytes], ...]


def _headers(policy: str) -> Headers:
    return (
        (b"content-security-policy", policy.encode()),
        (b"cross-origin-resource-policy", b"same-origin"),
        (b"referrer-policy", b"no-referrer"),
        (b"x-content-type-options", b"nosniff"),
    )


_OF_THE_API, _OF_THE_PAGE = _headers(_API), _headers(_PAGE)
_OF_THE_VIEWER = _headers(_VIEWER)  # /docs, whose viewer comes from the internet
STATIC = "/static/"  # what the page consists of


def told(path: str) -> Headers:
    """For the answers of the API: nothing in them is to be run, shown in a frame, or read by another site."""
    if path.startswith("/v2/"):
        return _OF_THE_API
    if path == "/" or path.startswith(STATIC):
        return _OF_THE_PAGE
    return _OF_THE_VIEWER if path == "/docs" else _OF_THE_API


def check_origin(method: str, host: bytes, origin: bytes | None, site: bytes | None) -> None:
    """ForeignOrigin for what a page of another site has a browser do, where it could change or cost something.

    `origin` and `site` are the headers Origin and Sec-Fetch-Site; callers that are no browsers send neither.
    """
    if method in _SAFE:
        return
    if origin is not None and origin.lower() not in (b"http://" + host.lower(), b"https://" + host.lower()):
        raise ForeignOrigin("pages of other sites may not ask here")
    if site == b"cross-site":
        raise ForeignOrigin("pages of other sites may not ask here")
