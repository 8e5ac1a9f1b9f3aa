"""The history of a run as events, for TensorBoard to draw while it goes on."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tensorboardX import SummaryWriter

_FLUSH_SECONDS = 5


@contextmanager
def recorded(history: Sequence[dict[str, float]], folder: Path | None) -> Iterator[Callable[[], None]]:
    """Yields what writes the rows of `history` that are not written yet, one step an epoch, counted from 1.

    Without a folder nothing is written: of several processes one writes.

    Events of an earlier run in `folder` are removed: a run that goes on writes its whole history again, so that no
    epoch is there twice, also where it was killed between an event and its checkpoint.
    """
    if folder is None:
        yield lambda: None
        return
    shutil.rmtree(folder, ignore_errors=True)
    written = 0
    with SummaryWriter(str(folder), flush_secs=_FLUSH_SECONDS) as events:

        def catch_up() -> None:
            nonlocal written
            for row in history[written:]:
                written += 1
                for name, value in row.items():
                    events.add_scalar(name, value, written)

        yield catch_up
