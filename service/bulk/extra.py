"""Libraries that come with an extra, and are loaded only where they are used."""

from importlib import import_module
from typing import Any

from models.errors import ReparamError


def library(name: str, purpose: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = {"PIL": "pillow"}.get(name, name.partition(".")[0])
        raise ReparamError(f"{purpose} need {package}: pip install 'reparam[client]'") from error
