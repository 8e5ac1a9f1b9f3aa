"""The service under an audit hook: what it opens, connects to, starts or unpickles is written down while it serves.

SIGUSR1 has it begin, SIGUSR2 do three things that have to be seen. What is written is a line of JSON each.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from service import loader, logs
from service.app import create_app
from service.server import serve
from service.settings import Settings

FILES = {"open", "os.listdir", "os.scandir", "os.chdir", "os.truncate"}
NEVER = {
    "compile",
    "ctypes.dlopen",
    "exec",
    "import",
    "os.exec",
    "os.fork",
    "os.mkdir",
    "os.posix_spawn",
    "os.putenv",
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.system",
    "pickle.find_class",
    "socket.bind",
    "socket.connect",
    "socket.getaddrinfo",
    "subprocess.Popen",
}
WRITING = os.O_WRONLY | os.O_RDWR
LOADER = [sys.executable, "-m", "service.loader_child"]  # which tries what is new


class Audit:
    """The hook; `begin` has it write."""

    def __init__(self, out, *roots):
        self._out = out
        self._roots = roots
        self._is_on = False

    def begin(self, *_):
        self._is_on = True

    def __call__(self, event, arguments):
        if not self._is_on or event not in FILES | NEVER:
            return
        if event in FILES and self._is_allowed(*arguments):
            return
        if event == "subprocess.Popen" and arguments[1] == LOADER:
            return
        os.write(self._out, json.dumps([event, *map(str, arguments)]).encode() + b"\n")

    def _is_allowed(self, place=None, mode=None, flags=0):
        """Reading below the roots."""
        if isinstance(place, int):
            return True  # what was opened before, by its number
        return not flags & WRITING and any(
            Path(os.fsdecode(place)).resolve().is_relative_to(root) for root in self._roots
        )


def plant(*_):
    with open(__file__, "rb"):
        pass
    with suppress(OSError), socket.socket() as other:
        other.connect(("127.0.0.1", 9))
    subprocess.run(["true"], check=True)


def main(out):
    logs.configure()
    settings = Settings()
    audit = Audit(os.open(out, os.O_WRONLY | os.O_APPEND), settings.repository.resolve(), "/proc")
    sys.addaudithook(audit)
    app = create_app(settings, loader=loader.start(settings))
    signal.signal(signal.SIGUSR1, audit.begin)
    signal.signal(signal.SIGUSR2, plant)
    serve(settings, app)


if __name__ == "__main__":
    main(sys.argv[1])
