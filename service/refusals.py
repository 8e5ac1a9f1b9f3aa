"""What is refused before anybody asks for a model: how a request comes, who sends it, how often."""

from models.errors import ReparamError


class MalformedRequest(ReparamError):
    """Not HTTP, or such that two servers could read it in two ways."""


class TooSlow(ReparamError):
    """A request that is not whole in time."""


class HeadersTooLarge(ReparamError):
    """More headers, or longer ones, than the operator allows."""


class HostNotAllowed(ReparamError):
    """A Host that this service does not go by."""


class ForeignOrigin(ReparamError):
    """A page of another site that would have its visitor's browser act here."""


class Unauthenticated(ReparamError):
    """No key, or one that does not hold."""


class ScopeMissing(ReparamError):
    """A key that holds, but not for this."""


class Unavailable(ReparamError):
    """Not now; `retry_after` is in seconds."""

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class RateExceeded(Unavailable):
    """More requests than this key may make."""


class TooManyConnections(Unavailable):
    """More connections than the operator allows."""


class AnswersUnread(Unavailable):
    """More bytes of answers than the operator allows wait for callers who do not take them."""
