"""Who may ask: the host that is meant, the page that asks, the key and how often; before any route is looked for."""

import ipaddress
import math
import re
import time

from limits.strategies import FixedWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from models.errors import ReparamError
from service import browser, errors, given, keys, trace
from service.refusals import HostNotAllowed, RateExceeded, ScopeMissing, Unauthenticated
from service.settings import Settings

_HOST = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::[0-9]{1,5})?")
_LOOPBACK = frozenset({b"localhost", b"127.0.0.1", b"[::1]"})
_OPEN = frozenset({"/", "/livez", "/readyz", "/v2/health/live", "/v2/health/ready"})  # to whoever can connect
_BEARER = b"bearer "


class Unguarded(ReparamError):
    """An address that others can reach, and nothing that keeps them out."""


class Gate:
    """ASGI middleware, inside of what every request passes through and around everything that answers."""

    def __init__(self, app: ASGIApp, settings: Settings, limiter: FixedWindowRateLimiter) -> None:
        self._app = app
        self._hosts = _hosts(settings)
        self._keys = keys.Keys(settings.keys) if settings.keys else None
        self._rate = keys.rate_of(settings.rate)
        self._limiter = limiter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._admit(scope)
            except ReparamError as error:
                await errors.answer_to(error)(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _admit(self, scope: Scope) -> None:
        headers = given.headers(scope)
        host = headers.get(b"host", b"")
        if self._hosts and host:  # without one, as HTTP/1.0 has it, no browser asks
            named = _HOST.fullmatch(host)
            if named is None or named[1].lower() not in self._hosts:
                raise HostNotAllowed("this service does not go by the name that Host gives; the setting hosts has them")
        browser.check_origin(scope["method"], host, headers.get(b"origin"), headers.get(b"sec-fetch-site"))
        if self._keys is not None and (needed := scope_of(scope["method"], scope["path"])):
            self._check_key(self._keys, needed, headers)

    def _check_key(self, known: keys.Keys, needed: keys.Scope, headers: dict[bytes, bytes]) -> None:
        key = known.find(_presented(headers))
        if key is None:
            raise Unauthenticated(
                "an API key is needed, as Authorization: Bearer or X-API-Key; this is none that holds"
            )
        trace.current().caller = key.name
        if needed not in key.scopes:
            raise ScopeMissing(f"this key does not have the scope {needed}")
        rate = key.rate or self._rate
        if rate and not self._limiter.hit(rate, key.name):
            seconds = self._limiter.get_window_stats(rate, key.name).reset_time - time.time()
            raise RateExceeded(f"this key may ask {rate}", retry_after=max(1, math.ceil(seconds)))


def check_guarded(settings: Settings) -> None:
    """Unguarded unless nobody else can reach the address, keys are asked for, or the operator wants it so."""
    if _is_loopback(settings.host) or settings.keys:
        return
    if not settings.open:
        raise Unguarded(f"others can reach {settings.host}: name a file of API keys (--keys), or say --open true")
    if settings.admin:
        raise Unguarded("whoever can connect could load and unload models: --admin needs --keys")


def scope_of(method: str, path: str) -> keys.Scope | None:
    """What a key has to allow; None where none is needed. A route that does not exist is guarded as others are."""
    if path.startswith("/v2/repository/models/"):
        return "admin"
    if method == "POST" and path.startswith("/v2/models/"):
        return "infer"
    return None if path in _OPEN or path.startswith(browser.STATIC) else "metadata"


def _presented(headers: dict[bytes, bytes]) -> bytes:
    authorization = headers.get(b"authorization", b"")
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return headers.get(b"x-api-key", b"")


def _hosts(settings: Settings) -> frozenset[bytes]:
    """In small letters, IPv6 in brackets; empty where any will do."""
    named = frozenset(name.strip().lower().encode() for name in settings.hosts.split(",") if name.strip())
    if b"*" in named:
        return frozenset()
    own = f"[{settings.host}]" if ":" in settings.host else settings.host
    return _LOOPBACK | named | {own.lower().encode()}


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
