"""The history of a run as events, for TensorBoard to draw while it goes on."""

import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from tensorboardX.event_file_writer import EventsWriter
from tensorboardX.proto.event_pb2 import Event
from tensorboardX.summary import scalar


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
    folder.mkdir(parents=True)
    written = 0
    # Not with a SummaryWriter: on a full disk its thread dies, and everything waits for it.
    with closing(EventsWriter(str(folder / "events"))) as events:

        def catch_up() -> None:
            nonlocal written
            for row in history[written:]:
                written += 1
                for name, value in row.items():
                    events.write_event(Event(wall_time=time.time(), step=written, summary=scalar(name, value)))
            events.flush()

        yield catch_up
