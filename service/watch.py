"""When to look at the repository: at once when the file system tells of a change, and from time to time anyway."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from watchfiles import awatch

_SETTLED = 50  # milliseconds without a further change
_LONGEST = 500  # milliseconds of changes without an end


async def looks(root: Path, seconds: float) -> AsyncIterator[None]:
    """Yields whenever there may be something new below `root`; every so many seconds where the file system is mute."""
    period = max(1, int(1000 * seconds))
    while True:
        try:
            async for _ in awatch(
                root,
                watch_filter=None,
                debounce=_LONGEST,
                step=min(_SETTLED, period),
                rust_timeout=period,
                yield_on_timeout=True,
            ):
                yield
        except (OSError, RuntimeError):  # there is no such folder yet, or no watch to be had
            await asyncio.sleep(seconds)
            yield
