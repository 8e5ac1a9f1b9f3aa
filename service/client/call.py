"""A question as plain data: what is sent, and how the answer is read. Nothing here sends anything."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar

import httpx

T = TypeVar("T")


@dataclass(frozen=True)
class Call(Generic[T]):
    """`read` makes the result of an answer whose status is among those that the call `accepts`."""

    method: str
    path: str
    read: Callable[[httpx.Response], T]
    query: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    content: bytes | None = None
    accepts: frozenset[int] = frozenset({200})


@dataclass(frozen=True)
class Lines(Generic[T]):
    """An answer of `rows` lines; `after` asks for those behind the first so many, should a connection break off."""

    rows: int
    after: Callable[[int], Call[bytes]]
    read: Callable[[str], T]
