"""Calls of one graph that wait: they take turns, a job each, so that a long one delays no other by more than a run."""

import math
from collections import OrderedDict, deque
from itertools import islice

from service.calls import Call, Entry
from service.jobs import share_a_run


class _Caller:
    """The calls of one caller in the order of their turns, and what they count for."""

    def __init__(self) -> None:
        self.size = 0
        self.weight = 0
        self.turns = 0  # size of what is run when each of the calls has a turn
        self.turn = 0  # size of its largest job
        self._calls: deque[Call] = deque()
        self._passed: list[Call] = []

    def add(self, call: Call) -> None:
        self._calls.append(call)
        self.turn = max(self.turn, min(call.size, call.turn))

    def take(self, batch: list[Entry], room: int) -> Entry | None:
        """The next job that can share the batch's run; its call goes to the end, those before it are passed over."""
        while self._calls:
            call = self._calls.popleft()
            if not call.waiting:
                continue
            job = call.waiting[0].job
            if not batch or (job.size <= room and share_a_run(job, batch[0].job)):
                entry = call.waiting.popleft()
                if call.waiting:
                    self._calls.append(call)
                return entry
            self._passed.append(call)
        return None

    def call_back(self) -> None:
        """Those that were passed over, to the places that they had."""
        self._calls.extendleft(reversed(self._passed))
        self._passed.clear()


class Waiting:
    """Callers take turns, and so do the calls of each; a run that is shared takes up to the size `most`.

    In `weight` no call counts for more than `heaviest`.
    """

    def __init__(self, most: int, heaviest: int) -> None:
        self._most = most
        self._heaviest = heaviest
        self._callers: OrderedDict[str, _Caller] = OrderedDict()
        self.size = 0
        self.weight = 0

    def weigh(self, call: Call) -> int:
        return min(call.size, self._heaviest)

    def of(self, call: Call) -> _Caller:
        """What else waits of a call's caller."""
        return self._callers.get(call.caller) or _Caller()

    def share(self, call: Call) -> float:
        """What each caller can have of the whole, with the caller of that call among them."""
        return 1 / (len(self._callers) + (call.caller not in self._callers))

    def ahead_of(self, call: Call) -> int:
        """About how much is run until a call that is added now is done, itself included.

        For each of its jobs everybody has a turn: those who are done meanwhile make room for others like them.
        """
        turns = self.of(call).turns + min(call.size, call.turn)
        others = (caller for name, caller in self._callers.items() if name != call.caller)
        turns += sum(min(other.turns, max(turns, other.turn, self._most)) for other in others)
        return math.ceil(call.size / call.turn) * turns

    def add(self, call: Call) -> None:
        caller = self._callers.setdefault(call.caller, _Caller())
        caller.add(call)
        self._count(caller, call, +1)

    def drop(self, call: Call) -> int:
        """What waits of a call is not to be run; how many jobs that are."""
        dropped = len(call.waiting)
        call.waiting.clear()
        if call.size:
            self._lighten(self._callers[call.caller], call, call.size)
            self._forget_idle()
        return dropped

    def cut(self) -> list[Entry]:
        """The next batch: the first job in turn, and what can share its run.

        Who gave a job goes to the end, a caller among callers and a call among the caller's; who had none that fitted
        keeps its place.
        """
        batch: list[Entry] = []
        unfit = 0  # callers, those at the front
        room = self._most
        while unfit < len(self._callers) and (room > 0 or not batch):
            name, caller = next(islice(self._callers.items(), unfit, None))
            if entry := caller.take(batch, room):
                batch.append(entry)
                room -= entry.job.size
                self._lighten(caller, entry.call, entry.job.size)
                self._callers.move_to_end(name)
            else:
                unfit += 1
        for caller in self._callers.values():
            caller.call_back()
        self._forget_idle()
        return batch

    def _lighten(self, caller: _Caller, call: Call, size: int) -> None:
        self._count(caller, call, -1)
        call.size -= size
        self._count(caller, call, +1)

    def _count(self, caller: _Caller, call: Call, sign: int) -> None:
        for counts in (self, caller):
            counts.size += sign * call.size
            counts.weight += sign * self.weigh(call)
        caller.turns += sign * min(call.size, call.turn)

    def _forget_idle(self) -> None:
        for name in [name for name, caller in self._callers.items() if not caller.size]:
            del self._callers[name]
