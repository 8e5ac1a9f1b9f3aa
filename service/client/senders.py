"""What sends a call: with httpx, at once or in asyncio. All decisions are made elsewhere; here they are carried out."""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing
from typing import Any, Self

import httpx

from service.client.attempts import BROKEN, Attempts, Outcome, Patience, Step, Wait, attempts
from service.client.call import Call, Lines, T
from service.client.problems import Unreachable, problem_in

_GRACE_SECONDS = 1.0  # in which the service's own refusal can still arrive

_NO_AUTHORITIES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # to read those takes long, and http needs none


class Sender:
    """Waits for its answers."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 5,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = httpx.Client(**_settings(url, key), transport=transport)
        self._patience, self._sleep, self._clock = Patience(timeout, retries), sleep, clock

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def ask(self, call: Call[T]) -> T:
        return call.read(self._answer(call))

    def lines(self, asked: Lines[T]) -> Iterator[T]:
        done = 0
        while done < asked.rows:
            response, before = self._answer(asked.after(done), stream=True), done
            try:
                for line in response.iter_lines():
                    done += 1
                    yield asked.read(line)
            except BROKEN as error:
                _check_progress(done, before, error)
            finally:
                response.close()

    def _answer(self, call: Call[Any], stream: bool = False) -> httpx.Response:
        going: Attempts = attempts(self._patience, call.accepts, self._clock)
        outcome: Outcome | None = None
        try:
            while True:
                outcome = self._take(going.send(outcome), call, stream)
        except StopIteration as end:
            return _accepted(end.value, call)

    def _take(self, step: Step, call: Call[Any], stream: bool) -> Outcome | None:
        if isinstance(step, Wait):
            self._sleep(step.seconds)
            return None
        try:
            response = self._http.send(_request(self._http, call, step.seconds), stream=stream)
            if response.is_error:
                response.read()
            return response
        except BROKEN as error:
            return error


class AsyncSender:
    """Leaves the event loop to others meanwhile."""

    def __init__(
        self,
        url: str,
        key: str | None = None,
        *,
        timeout: float = 60.0,
        retries: int = 5,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = httpx.AsyncClient(**_settings(url, key), transport=transport)
        self._patience, self._sleep, self._clock = Patience(timeout, retries), sleep, clock

    async def close(self) -> None:
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def ask(self, call: Call[T]) -> T:
        return call.read(await self._answer(call))

    async def lines(self, asked: Lines[T]) -> AsyncIterator[T]:
        done = 0
        while done < asked.rows:
            response, before = await self._answer(asked.after(done), stream=True), done
            try:
                async with aclosing(response.aiter_lines()) as lines:  # type: ignore[type-var]
                    async for line in lines:
                        done += 1
                        yield asked.read(line)
            except BROKEN as error:
                _check_progress(done, before, error)
            finally:
                await response.aclose()

    async def _answer(self, call: Call[Any], stream: bool = False) -> httpx.Response:
        going: Attempts = attempts(self._patience, call.accepts, self._clock)
        outcome: Outcome | None = None
        try:
            while True:
                outcome = await self._take(going.send(outcome), call, stream)
        except StopIteration as end:
            return _accepted(end.value, call)

    async def _take(self, step: Step, call: Call[Any], stream: bool) -> Outcome | None:
        if isinstance(step, Wait):
            await self._sleep(step.seconds)
            return None
        try:
            response = await self._http.send(_request(self._http, call, step.seconds), stream=stream)
            if response.is_error:
                await response.aread()
            return response
        except BROKEN as error:
            return error


def _settings(url: str, key: str | None) -> dict[str, Any]:
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"{url} is no address of a service; one is http://127.0.0.1:8000")
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return {"base_url": url, "headers": headers, **({} if url.startswith("https") else {"verify": _NO_AUTHORITIES})}


def _request(http: httpx.Client | httpx.AsyncClient, call: Call[Any], seconds: float) -> httpx.Request:
    """The service is told how long its answer is waited for, so that it computes none for nobody."""
    return http.build_request(
        call.method,
        call.path,
        params=call.query or None,
        headers={**call.headers, "X-Request-Timeout-Ms": str(max(1, int(1000 * seconds)))},
        content=call.content,
        timeout=seconds + _GRACE_SECONDS,
    )


def _accepted(response: httpx.Response, call: Call[Any]) -> httpx.Response:
    if response.status_code not in call.accepts:
        raise problem_in(response)
    return response


def _check_progress(done: int, before: int, error: httpx.TransportError) -> None:
    if done == before:
        raise Unreachable(f"the stream broke off: {error}") from error
