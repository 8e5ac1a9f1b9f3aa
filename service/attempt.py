"""An attempt to serve a bundle: it is ready, or the reason is told."""

import logging
from collections.abc import Callable

from models.errors import BundleError, BundleNotFound
from models.repository import Bundle
from service.entries import Entry, Key
from service.inventory import Inventory
from service.served_model import ServedModel

_log = logging.getLogger("reparam")


def attempt(key: Key, inventory: Inventory, assemble: Callable[[Bundle], ServedModel]) -> Entry:
    """Meant to run in a thread."""
    try:
        return Entry(*key, "READY", model=assemble(inventory.read(key)))
    except BundleError as error:
        reason = str(error)
    except (BundleNotFound, OSError):
        reason = "the folder cannot be read"
    except Exception:  # a bundle comes from anywhere: whatever it breaks, the others serve
        _log.exception("%s/%s broke the loading", *key)
        reason = "it could not be loaded; the service's log says why"
    _log.warning("%s/%s is not served: %s", *key, reason)
    return Entry(*key, "UNAVAILABLE", reason)
