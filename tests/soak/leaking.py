"""The service with a planted leak, a kibibyte a request: what looks for leaks has to find it."""

import sys

from service.envelope import Envelope

_kept: list[bytes] = []
_answer = Envelope.__call__


async def _leak(self, scope, receive, send):
    if scope["type"] == "http":
        _kept.append(bytes(bytearray(range(256)) * 4))
    await _answer(self, scope, receive, send)


Envelope.__call__ = _leak

if __name__ == "__main__":
    from service.__main__ import main

    sys.exit(main())
