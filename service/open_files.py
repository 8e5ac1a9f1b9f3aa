"""How many files the process may have open, which connections count among."""

import resource
from functools import cache

from models.errors import ReparamError

_OTHERS = 64  # that the process is left besides its connections, where there are many
_LEAST = 24  # that it is left where there are few: 20 are open while it rests
_FEWEST = 64


class TooFewFiles(ReparamError):
    """So few that nobody could connect."""


@cache
def room() -> int:
    """Connections that the limit leaves room for."""
    return max(_most() - _OTHERS, _most() // 2 - _LEAST)


def check() -> None:
    """TooFewFiles if there is no room to serve."""
    if _most() < _FEWEST:
        raise TooFewFiles(f"{_most()} files may be open, of which serving takes {_FEWEST} or more: ulimit -n {_FEWEST}")


def _most() -> int:
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
