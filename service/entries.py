"""What is known of every version in the repository, and which of them answer."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, get_args

from service.errors import Loading, UnknownModel
from service.metrics import Metrics
from service.served_model import ServedModel

State = Literal["READY", "UNAVAILABLE", "LOADING", "UNLOADING"]
Key = tuple[str, str]


class Entry(NamedTuple):
    """One version; `model` is there when the state is READY, `reason` when it is UNAVAILABLE.

    `is_loadable` says that a request for this version loads it.
    """

    name: str
    version: str
    state: State
    reason: str = ""
    model: ServedModel | None = None
    is_loadable: bool = False

    @property
    def key(self) -> Key:
        return self.name, self.version

    @property
    def is_refused(self) -> bool:
        """Bad, or unloaded."""
        return self.state == "UNAVAILABLE" and not self.is_loadable


class Entries:
    """By name and ascending version; each is replaced as a whole."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._all: dict[Key, Entry] = {}
        self._newest: dict[str, ServedModel] = {}

    def __iter__(self) -> Iterator[Entry]:
        return iter(self._all.values())

    def __contains__(self, key: Key) -> bool:
        return key in self._all

    def get(self, key: Key) -> Entry | None:
        return self._all.get(key)

    def of(self, name: str) -> list[Entry]:
        """The versions of a model, ascending."""
        return [entry for entry in self._all.values() if entry.name == name]

    def newest(self, name: str) -> ServedModel | None:
        """Of those that are loaded."""
        return self._newest.get(name)

    def absence(self, name: str, version: str | None = None, *, is_loaded: bool) -> UnknownModel | Loading:
        """Why that version, or any of the model, does not answer."""
        known = [entry for entry in self.of(name) if version in (None, entry.version)]
        if not is_loaded or any(entry.state == "LOADING" for entry in known):
            return Loading("the models are still being loaded", retry_after=1)
        if known:
            return UnknownModel(f"{known[-1].name}/{known[-1].version} is not served: {known[-1].reason}")
        served = dict.fromkeys(entry.name for entry in self if entry.model)
        return UnknownModel(f"no such model or version; there are {', '.join(served) or 'none'}")

    def put(self, entry: Entry) -> None:
        is_new = entry.key not in self._all
        self._all[entry.key] = entry
        if is_new:
            self._all = dict(sorted(self._all.items(), key=_by_version))
        self._find_newest(entry.name)
        for state in get_args(State):
            self._metrics.model_state.labels(*entry.key, state).set(state == entry.state)
        self._metrics.model_refused.labels(*entry.key).set(entry.is_refused)

    def drop(self, key: Key) -> None:
        del self._all[key]
        self._find_newest(key[0])
        self._metrics.forget(*key)

    def _find_newest(self, name: str) -> None:
        loaded = [entry.model for entry in self.of(name) if entry.model]
        if loaded:
            self._newest[name] = loaded[-1]
        else:
            self._newest.pop(name, None)


def _by_version(known: tuple[Key, Entry]) -> tuple[str, int, str]:
    (name, version), _ = known
    return name, int(version) if version.isdecimal() else 0, version
