"""API keys: who may do what and how often, from a file of their hashes that is read again when it changes."""

import hashlib
import hmac
import logging
import re
import secrets
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from limits import RateLimitItem, parse

from models.errors import ReparamError

Scope = Literal["infer", "metadata", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_BYTES = 32  # of chance in a key: so many that a plain hash of it cannot be searched

_log = logging.getLogger("reparam")


class BadKeys(ReparamError):
    """A file of keys that cannot be read or does not say what it should."""


class Key(NamedTuple):
    """A key as it is kept: `digest` is the SHA-256 of its text, `rate` None where the key sets none."""

    name: str
    digest: bytes
    scopes: frozenset[Scope]
    rate: RateLimitItem | None = None


_NOBODY = Key("", secrets.token_bytes(32), frozenset())  # compared with where no key has the name


class Keys:
    """The keys of a file; while it cannot be read the last ones hold, and the log says why."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._signature = self._sign()
        self._by_name = _read(path)

    def find(self, presented: bytes) -> Key | None:
        """The key with this text. One hash and one comparison of constant time, whatever was presented."""
        self._look()
        key = self._by_name.get(presented.partition(b".")[0], _NOBODY)
        matches = hmac.compare_digest(hashlib.sha256(presented).digest(), key.digest)
        return key if matches and key is not _NOBODY else None

    def has(self, name: str) -> bool:
        return name.encode() in self._by_name

    def _look(self) -> None:
        signature = self._sign()
        if signature == self._signature:
            return
        self._signature = signature
        try:
            self._by_name = _read(self._path)
        except BadKeys as error:
            _log.error("the keys stay as they were: %s", error)
        else:
            _log.info("%d keys hold now", len(self._by_name))

    def _sign(self) -> tuple[int, ...]:
        """What changes with the file; empty where there is none."""
        try:
            status = self._path.stat()
        except OSError:
            return ()
        return status.st_ino, status.st_size, status.st_mtime_ns


def text_of(name: str) -> str:
    """A new key; its name stands in front, so that its owner is known without a search."""
    return f"{name}.{secrets.token_urlsafe(_BYTES)}"


def line_of(text: str, scopes: list[str], rate: str) -> str:
    """How a key stands in the file; BadKeys if it could not be read from there."""
    digest = hashlib.sha256(text.encode()).hexdigest()
    line = f"{text.partition('.')[0]} {digest} {','.join(scopes)} {rate}".strip()
    _key(line)
    return line


def _read(path: Path) -> dict[bytes, Key]:
    try:
        lines = path.read_text("ascii").splitlines()
    except (OSError, UnicodeError) as error:
        raise BadKeys("the file of keys cannot be read") from error
    keys: dict[bytes, Key] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            key = _key(line)
        except BadKeys as error:
            raise BadKeys(f"line {number} of the keys: {error}") from error
        if key.name.encode() in keys:
            raise BadKeys(f"line {number} of the keys: the name stands there twice")
        keys[key.name.encode()] = key
    return keys


def _key(line: str) -> Key:
    name, digest, scopes, rate = [*line.split(maxsplit=3), "", "", "", ""][:4]
    if not (_NAME.fullmatch(name) and _DIGEST.fullmatch(digest)):
        raise BadKeys("it is not NAME SHA256 SCOPES [RATE], the name in small letters, digits, - and _")
    granted = scopes.split(",")
    if not set(granted) <= set(SCOPES):
        raise BadKeys(f"scopes are {', '.join(SCOPES)}, with commas between")
    return Key(name, bytes.fromhex(digest), frozenset(scope for scope in SCOPES if scope in granted), rate_of(rate))


def rate_of(text: str) -> RateLimitItem | None:
    """100/minute, 10 per 5 seconds; None for nothing, BadKeys for what is no rate."""
    try:
        return parse(text) if text else None
    except ValueError as error:
        raise BadKeys('a rate is written as "100/minute"') from error
