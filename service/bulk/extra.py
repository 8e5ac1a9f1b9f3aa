"""Libraries that come with an extra, and are loaded only where they are used."""

from importlib import import_module
from typing import Any

from models.errors import ReparamError


def library(name: str, purpose: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0].replace("PIL", "pillow")
        raise ReparamError(f"{purpose} need {package}; install it, or the extra client with all of them") from error
