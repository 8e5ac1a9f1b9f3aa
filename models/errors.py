"""The contract's own errors."""


class ReparamError(Exception):
    """Anything that Reparam refuses; the message says what would have worked."""


class BundleError(ReparamError):
    """A folder that is not a whole, unchanged bundle."""


class BundleNotFound(ReparamError):
    """A name or version that the repository does not hold."""


class AlreadyPublished(ReparamError):
    """A version that exists with other bytes; a published version never changes."""
