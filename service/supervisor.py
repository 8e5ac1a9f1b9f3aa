"""Several processes that serve on one socket: one that dies is replaced, later and later if it dies young."""

import asyncio
import contextlib
import logging
import os
import signal
import sys
import tempfile
import time
from asyncio.subprocess import PIPE, Process

from prometheus_client.multiprocess import mark_process_dead

from service.metrics import SHARED
from service.server import configuration
from service.settings import Settings
from service.worker import Order

_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 30.0  # seconds; each is twice the one before
_GROWN_UP = 60.0  # seconds that a process has to live for its death to be the first again

_log = logging.getLogger("reparam")


def supervise(settings: Settings) -> int:
    """Until a signal has ended it; the exit status."""
    with tempfile.TemporaryDirectory(prefix="reparam-") as folder, configuration(settings).bind_socket() as socket:
        return asyncio.run(Supervisor(settings, socket.fileno(), folder).run())


class Supervisor:
    """The workers share the socket, and a folder in which they count together.

    The first begins to answer at once, the others and those that replace one when their models are loaded: so none of
    these answers that it is not ready. Each lives as long as this process.
    """

    def __init__(self, settings: Settings, socket: int, folder: str) -> None:
        self._settings = settings
        self._socket = socket
        self._folder = folder
        self._processes: set[Process] = set()
        self._is_ready = asyncio.Event()
        self._is_ending = asyncio.Event()
        self._status = 0

    async def run(self) -> int:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._end, number)
        told, self._ready = os.pipe()
        loop.add_reader(told, self._note_ready, told)
        await asyncio.gather(*(self._keep(number) for number in range(self._settings.workers)))
        return self._status

    def _note_ready(self, told: int) -> None:
        os.read(told, 1)
        self._is_ready.set()

    def _end(self, number: int) -> None:
        """A second signal goes to the workers like the first, and ends them there and then."""
        self._is_ending.set()
        for process in self._processes:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    async def _keep(self, number: int) -> None:
        """Have one worker, as long as the service is not to end."""
        pause = 0.0
        if number > 0:
            await _first_of(self._is_ready, self._is_ending)
        while not self._is_ending.is_set():
            began = time.monotonic()
            status = await self._work(load_first=self._is_ready.is_set())
            if status == os.EX_CONFIG:
                self._status = 1
                self._end(signal.SIGTERM)
            if self._is_ending.is_set():
                return
            has_grown_up = time.monotonic() - began > _GROWN_UP
            pause = _FIRST_PAUSE if has_grown_up or not pause else min(2 * pause, _LONGEST_PAUSE)
            _log.error("a worker died with status %d; the next one starts in %g s", status, pause)
            await _first_of(self._is_ending, seconds=pause)

    async def _work(self, *, load_first: bool) -> int:
        """One worker from its start to its end; its exit status, negative if a signal ended it."""
        order = Order(settings=self._settings, socket=self._socket, ready=self._ready, load_first=load_first)
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "service.worker"),
            stdin=PIPE,
            pass_fds=[self._socket, self._ready],
            env={**os.environ, SHARED: self._folder},
            start_new_session=True,  # a signal from the keyboard reaches it through this process
        )
        self._processes.add(process)
        if self._is_ending.is_set():
            process.terminate()
        assert process.stdin
        process.stdin.write(order.model_dump_json().encode() + b"\n")
        status = await process.wait()
        self._processes.discard(process)
        mark_process_dead(process.pid, self._folder)  # type: ignore[no-untyped-call]
        return status


async def _first_of(*events: asyncio.Event, seconds: float | None = None) -> None:
    waits = [asyncio.create_task(event.wait()) for event in events]
    await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()
