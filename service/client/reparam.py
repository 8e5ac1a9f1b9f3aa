"""The client and its asyncio twin: one list of verbs, of which each makes what its way of sending gives."""

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, Generic, ParamSpec, TypeVar, overload

from service.client import calls
from service.client.call import Call, Lines
from service.client.senders import AsyncSender, Sender

P = ParamSpec("P")
T = TypeVar("T")


class _Verb(Generic[P, T]):
    """A function that makes a call, as the method that has it sent."""

    def __init__(self, call: Callable[P, Call[T]]) -> None:
        self._call = call

    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, T]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, Awaitable[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Call[T]]: ...
    def __get__(self, client: Sender | AsyncSender | None, owner: type) -> Callable[P, Any]:
        return self._call if client is None else _then(client.ask, self._call)


class _Stream(Generic[P, T]):
    """The same, of rows as they come."""

    def __init__(self, asked: Callable[P, Lines[T]]) -> None:
        self._asked = asked

    @overload
    def __get__(self, client: Sender, owner: type) -> Callable[P, Iterator[T]]: ...
    @overload
    def __get__(self, client: AsyncSender, owner: type) -> Callable[P, AsyncIterator[T]]: ...
    @overload
    def __get__(self, client: None, owner: type) -> Callable[P, Lines[T]]: ...
    def __get__(self, client: Sender | AsyncSender | None, owner: type) -> Callable[P, Any]:
        return self._asked if client is None else _then(client.lines, self._asked)


def _then(send: Callable[[Any], Any], make: Callable[P, Any]) -> Callable[P, Any]:
    @functools.wraps(make)
    def ask(*args: P.args, **kwargs: P.kwargs) -> Any:
        return send(make(*args, **kwargs))

    return ask


class _Verbs:
    """All that can be asked."""

    sample = _Verb(calls.sample)
    sample_stream = _Stream(calls.sample_stream)
    sample_picture = _Verb(calls.sample_picture)
    encode = _Verb(calls.encode)
    decode = _Verb(calls.decode)
    reconstruct = _Verb(calls.reconstruct)
    interpolate = _Verb(calls.interpolate)
    traverse = _Verb(calls.traverse)
    score = _Verb(calls.score)
    complete = _Verb(calls.complete)
    criticize = _Verb(calls.criticize)
    models = _Verb(calls.models)
    model = _Verb(calls.model)
    preview = _Verb(calls.preview)
    ready = _Verb(calls.ready)


class Reparam(_Verbs, Sender):
    """`Reparam("http://127.0.0.1:8000").sample("vae-mnist", 64, seed=7).x`; to be closed, or used in `with`."""


class AsyncReparam(_Verbs, AsyncSender):
    """The same to be awaited: `await client.sample(...)`, `async for row in client.sample_stream(...)`."""
