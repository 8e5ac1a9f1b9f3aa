"""What no refusal may tell: where the service lives, what it is written in, what it had in memory."""

import re

LEAK = re.compile(rb"Traceback|\.py\b|site-packages|0x[0-9a-f]{6}|/(usr|home|tmp|root|opt)/")
LARGEST = 4096  # bytes


def check(response):
    """An answer of 400 or more, its body read."""
    assert not LEAK.search(response.content), response.text
    assert len(response.content) <= LARGEST


async def look(response):
    """For an asyncio client, at every answer."""
    if response.status_code >= 400:
        await response.aread()
        check(response)
