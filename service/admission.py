"""Whether a call may wait for a graph: if there is room, and if its answer would be there in time."""

import math
import time

from service.calls import Call
from service.errors import QueueFull
from service.waiting import Waiting

_MARGIN = 1.5  # a run for an answer that comes too late is lost; a shorter queue loses nothing


class Admission:
    """Knows the graph's pace, the seconds by the clock in which a row is done while work waits and all else runs."""

    def __init__(self, waiting: Waiting, most: int, longest_wait: float, pace: float) -> None:
        self._waiting = waiting
        self._most = most
        self._longest_wait = longest_wait
        self._seconds, self._rows = pace, 1.0  # of late, each run counting for four fifths of the next
        self._since = 0.0  # when a run last ended, or work began

    @property
    def pace(self) -> float:
        return self._seconds / self._rows

    def check(self, call: Call, running: int, deadline: float) -> None:
        """QueueFull, with the seconds until what waits is done, unless the call may wait behind so much that runs.

        A call of any size is let in when nothing waits, so that none is refused for ever. One that waits counts for
        half the queue or a batch at most, so that others find room beside it; and whoever has less waiting than an
        equal share finds room beside callers who have more.
        """
        waiting = self._waiting
        if not waiting.weight:
            return
        has_room = waiting.weight + waiting.weigh(call) <= self._most
        has_share = waiting.of(call).weight + waiting.weigh(call) <= self._most * waiting.share(call)
        wait = (running + waiting.ahead_of(call)) * self.pace
        is_in_time = _MARGIN * wait <= min(self._longest_wait, deadline - time.perf_counter())
        if not (is_in_time and (has_room or has_share)):
            until = math.ceil(waiting.size * self.pace)
            raise QueueFull(f"{waiting.size:,} rows wait for this graph already", retry_after=max(1, until))

    def begin(self) -> None:
        """There is work after there was none."""
        self._since = time.perf_counter()

    def note(self, size: int) -> None:
        """A run has ended. One of few rows tells nothing of the pace under load, unless it is a better one.

        The pace is that of all rows together, so that a single one that met a pause of the machine does not stand for
        the hundreds that wait.
        """
        now = time.perf_counter()
        seconds, self._since = now - self._since, now
        if self._waiting.size or seconds / size < self.pace:
            self._seconds = 0.8 * self._seconds + 0.2 * seconds
            self._rows = 0.8 * self._rows + 0.2 * size
