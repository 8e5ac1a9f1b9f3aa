"""Tries bundles in a process of its own: one that breaks it, never ends or takes all memory harms nothing else."""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Lock, Timer
from typing import TYPE_CHECKING, NoReturn

from pydantic import BaseModel, ValidationError

from models.errors import BundleError

if TYPE_CHECKING:
    from service.settings import Settings  # which the child does without

_START_SECONDS = 60.0
_LONGEST_ANSWER = 64 * 2**10
_IDLE_SECONDS = 5.0


class Terms(BaseModel):
    """What the child is told first: the settings that it needs, by their names."""

    repository: Path
    threads: int
    golden_seconds: float
    load_seconds: float
    load_bytes: int


class Question(BaseModel):
    """Which bundle to try."""

    name: str
    version: str


class Verdict(BaseModel):
    """The digest of a bundle that holds, or why it does not; neither says that the child is there."""

    digest: str = ""
    refusal: str = ""


def start(settings: "Settings") -> "Loader | None":
    """A loader for these settings, unless they do without one."""
    return Loader(Terms.model_validate(settings, from_attributes=True)) if settings.loader else None


class Loader:
    """Its child starts when this is made, beside whatever else starts, and again for a bundle that finds none.

    `check` may be called from several threads, and tries one bundle at a time.
    """

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._one_at_a_time = Lock()
        self._child = _Child(terms)
        self._since = time.monotonic()  # when it was last asked, or started
        self._is_closed = False

    def check(self, name: str, version: str) -> str:
        """The digest of a bundle that can be loaded; BundleError with the reason if it cannot."""
        with self._one_at_a_time:
            if self._is_closed:
                raise BundleError("the service is shutting down")
            if not self._child.lives:
                self._child.end()
                self._child = _Child(self._terms)
            verdict = self._child.ask(Question(name=name, version=version))
            self._since = time.monotonic()
        if not verdict.digest:
            raise BundleError(verdict.refusal)
        return verdict.digest

    def rest(self) -> None:
        """There is nothing to try for now: the child, which takes as much memory as a small service, ends.

        Not at once, as its start takes longer than many bundles do, and one new version is often followed by another.
        """
        with self._one_at_a_time:
            if time.monotonic() - self._since >= _IDLE_SECONDS:
                self._child.end()

    def close(self) -> None:
        """Also while a bundle is being tried."""
        self._is_closed = True
        self._child.kill()
        with self._one_at_a_time:
            self._child.end()


class _Child:
    """One process. It ends by itself when this one does, for then its standard input ends."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._is_there = False
        self._is_late = False
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "service.loader_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # a signal from the keyboard is for the service
            )
        except OSError as error:
            raise BundleError(f"no process to try bundles in can be started: {error.strerror}") from error
        self._write(terms)

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: Question) -> Verdict:
        """BundleError if there is no answer; then the process is no more."""
        if not self._is_there:
            self._answer(_START_SECONDS)
            self._is_there = True
        self._write(question)
        return self._answer(self._terms.load_seconds)

    def kill(self) -> None:
        self._process.kill()

    def end(self) -> None:
        """What is left of it, too."""
        self.kill()
        with suppress(BrokenPipeError), self._process:
            pass

    def _write(self, message: BaseModel) -> None:
        assert self._process.stdin
        with suppress(BrokenPipeError):  # reading finds out what became of it
            self._process.stdin.write(message.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()

    def _answer(self, seconds: float) -> Verdict:
        assert self._process.stdout
        clock = Timer(seconds, self._give_up)
        clock.daemon = True
        clock.start()
        line = self._process.stdout.readline(_LONGEST_ANSWER)
        clock.cancel()
        try:
            return Verdict.model_validate_json(line)
        except ValidationError:
            self.end()
            self._explain()

    def _give_up(self) -> None:
        self._is_late = True
        self._process.kill()

    def _explain(self) -> NoReturn:
        """What became of the process."""
        status = self._process.returncode
        if not self._is_there:
            raise BundleError(f"the process that tries bundles does not start (status {status})")
        if self._is_late or status == -signal.SIGXCPU:
            raise BundleError(
                f"loading it took more than {self._terms.load_seconds:g} s; the setting load_seconds allows more"
            )
        raise BundleError(f"loading it ended the process in which it was tried (status {status})")
