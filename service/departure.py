"""A caller who hangs up takes the work for the request with it."""

import asyncio

from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive, Scope

_PATIENCE = 0.05  # seconds: looking costs a task, and most requests are answered before


class Departure:
    """Around the work for a request: ClientDisconnect if the caller hangs up after the body and before the answer.

    While the body is read, reading tells; once the answer is being sent, sending does. `limit` is the request's.
    """

    def __init__(self, receive: Receive, scope: Scope, limit: asyncio.Timeout) -> None:
        self.is_read = False
        self._receive = receive
        self._scope = scope
        self._limit: asyncio.Timeout | None = limit
        self._has_left = False
        self._look: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._request = asyncio.current_task()
        self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._begin)

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._forget()
        self._limit = None
        if self._has_left and kind is asyncio.CancelledError and self._request:
            self._request.uncancel()
            raise ClientDisconnect

    async def receive(self) -> Message:
        """For the app, which reads the body; raises what the door has to say against the rest of it."""
        message = await self._receive()
        if "refusal" in self._scope:
            raise self._scope["refusal"]
        self.is_read = message["type"] == "http.request" and not message.get("more_body", False)
        return message

    def answered(self, *, is_whole: bool) -> None:
        """An answer that is there as a whole was in time; how fast it is read is the door's concern."""
        self._forget()
        if is_whole and self._limit and not self._limit.expired():
            self._limit.reschedule(None)

    def _forget(self) -> None:
        self._timer.cancel()
        if self._look:
            self._look.cancel()

    def _begin(self) -> None:
        if self.is_read:
            self._look = asyncio.create_task(self._wait())
        else:
            self._timer = asyncio.get_running_loop().call_later(_PATIENCE, self._begin)

    async def _wait(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._has_left = True
        if self._request:
            self._request.cancel()
