"""An attempt to serve a bundle: it is ready, or the reason is told."""

import logging
from collections.abc import Callable

from models.repository import Bundle
from service.entries import Entry, Key
from service.inventory import Inventory
from service.reason import reason
from service.served_model import ServedModel

_log = logging.getLogger("reparam")


def attempt(key: Key, inventory: Inventory, assemble: Callable[[Bundle], ServedModel]) -> Entry:
    """Meant to run in a thread."""
    try:
        return Entry(*key, "READY", model=assemble(inventory.read(key)))
    except Exception as error:  # a bundle comes from anywhere: whatever it breaks, the others serve
        why = reason(error, *key)
    _log.warning("%s/%s is not served: %s", *key, why)
    return Entry(*key, "UNAVAILABLE", why)
