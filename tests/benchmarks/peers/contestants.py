"""Who is compared: Reparam, its peers, and the least that uvicorn does."""

import sys
import sysconfig
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from service.settings import Settings
from tests.benchmarks.peers.dialects import BENTOML, PLAIN, REPARAM, TRITON, Dialect
from tests.benchmarks.peers.environments import python
from tests.live_server import ROOT

SERVERS = Path(__file__).parent / "servers"


class Contestant(NamedTuple):
    """`command` goes to a Python, with the port in place of {port}; `pins` name the environment of that Python.

    `needs` is what its own documentation has one set in the process's environment.
    """

    name: str
    dialect: Dialect
    command: tuple[str, ...]
    pins: Path | None = None
    needs: Mapping[str, str] = {}

    def words(self, port: int) -> list[str]:
        """The whole command; NotInstalled if its environment cannot be had."""
        interpreter = python(self.pins) if self.pins else Path(sys.executable)
        return [str(interpreter), *(word.format(port=port) for word in self.command)]

    @property
    def folder(self) -> Path:
        """Where it is started."""
        return ROOT if self.dialect is REPARAM else SERVERS


_REPARAM = ("-m", "service", "--port", "{port}")
_UVICORN = ("-m", "uvicorn", "--port", "{port}", "--log-level", "warning")

_LIBPYTHON = {"LD_LIBRARY_PATH": str(sysconfig.get_config_var("LIBDIR"))}  # Triton's Python is to be this one

OURS = Contestant("Reparam", REPARAM, _REPARAM)
PEERS = (
    Contestant("FastAPI", PLAIN, (*_UVICORN, "bare:app"), SERVERS / "bare.txt"),
    Contestant("FastAPI, tuned", PLAIN, (*_UVICORN, "--workers", "2", "tuned:app"), SERVERS / "tuned.txt"),
    Contestant("mosec", PLAIN, ("with_mosec.py", "--port", "{port}"), SERVERS / "with_mosec.txt"),
    Contestant("mosec, tuned", PLAIN, ("tuned_mosec.py", "--port", "{port}"), SERVERS / "with_mosec.txt"),
    Contestant("Triton", TRITON, ("with_triton.py", "{port}"), SERVERS / "with_triton.txt", _LIBPYTHON),
    Contestant(
        "BentoML",
        BENTOML,
        ("-m", "bentoml", "serve", "with_bentoml:Served", "--port", "{port}"),
        SERVERS / "with_bentoml.txt",
    ),
)
TWO_WORKERS = Contestant("Reparam, 2 workers", REPARAM, (*_REPARAM, "--workers", "2"))
FIXED = Contestant("uvicorn, fixed body", PLAIN, (*_UVICORN, "fixed:app"))
CONTESTANTS = (OURS, *((TWO_WORKERS,) if "workers" in Settings.model_fields else ()), *PEERS, FIXED)
