"""Why a bundle is not served, in words for whoever asks for it."""

import logging

from models.errors import BundleError, BundleNotFound

_LONGEST = 500

_log = logging.getLogger("reparam")


def reason(error: Exception, name: str, version: str) -> str:
    """What was raised when the bundle was read or loaded; what nobody foresaw goes to the log."""
    if isinstance(error, BundleError):
        return str(error)[:_LONGEST]  # a part of it may be what somebody wrote into the bundle
    if isinstance(error, BundleNotFound | OSError):
        return "the folder cannot be read"
    _log.error("%s/%s broke the loading", name, version, exc_info=error)
    return "it could not be loaded; the service's log says why"
