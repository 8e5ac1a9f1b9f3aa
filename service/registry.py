"""Which bundles are served now: loaded, checked and warmed, or refused with the reason."""

import logging
import time
from collections.abc import Iterator
from typing import Literal, NamedTuple

from models.errors import BundleError, BundleNotFound
from models.repository import Repository
from service.assembly import assemble
from service.errors import Loading, UnknownModel
from service.graph import provider
from service.metrics import Metrics
from service.served_model import ServedModel
from service.settings import Settings
from service.workers import Workers

State = Literal["READY", "UNAVAILABLE", "LOADING"]

_NO_BUNDLE = "the repository holds no bundle"
_UNREADABLE = "the repository cannot be read"

_log = logging.getLogger("reparam")


class Entry(NamedTuple):
    """One version in the repository; `model` is there when the state is READY, `reason` when it is UNAVAILABLE."""

    name: str
    version: str
    state: State
    reason: str = ""
    model: ServedModel | None = None


class Registry:
    """The bundles of one repository on one device."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._repository = Repository(settings.repository)
        self._workers = Workers(settings.runs)
        self._entries: dict[tuple[str, str], Entry] = {}
        self._emptiness = _NO_BUNDLE
        self.provider = provider(settings.device)
        self.loaded = False
        metrics.provider_info.labels(self.provider).set(1)

    def load(self) -> None:
        """Load every bundle that is not known yet; a bad one is kept with its reason. Meant to run in a thread."""
        new = [key for key in self._listed() if key not in self._entries]
        known = {**self._entries, **{key: Entry(*key, "LOADING") for key in new}}
        self._entries = dict(sorted(known.items(), key=_by_version))  # whole at once: requests read it meanwhile
        for name, version in new:
            self._set(self._entries[name, version])
        for name, version in reversed(new):  # the newest first, so that no older version answers for it meanwhile
            started = time.perf_counter()
            self._set(self._load(name, version))
            self._metrics.model_load.observe(time.perf_counter() - started)
        if new or not self.loaded:
            ready = sum(entry.state == "READY" for entry in self._entries.values())
            _log.info("%d of %d bundles ready on %s", ready, len(self._entries), self.provider)
        self.loaded = True

    def close(self) -> None:
        self._workers.close()

    def entries(self) -> Iterator[Entry]:
        """Every version, by name and ascending version."""
        yield from self._entries.values()

    def get(self, name: str, version: str | None = None) -> ServedModel:
        """That version, or the newest one that loads; UnknownModel or Loading if there is none."""
        known = [entry for entry in self._entries.values() if entry.name == name and version in (None, entry.version)]
        for entry in reversed(known):
            if entry.model is not None:
                return entry.model
        if not self.loaded or any(entry.state == "LOADING" for entry in known):
            raise Loading("the models are still being loaded", retry_after=1)
        if known:
            raise UnknownModel(f"{known[-1].name}/{known[-1].version} is not served: {known[-1].reason}")
        served = dict.fromkeys(entry.name for entry in self._entries.values() if entry.model)
        raise UnknownModel(f"no such model or version; there are {', '.join(served) or 'none'}")

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        if not self.loaded:
            return ["the models are still being loaded"]
        if any(entry.model for entry in self._entries.values()):
            return []
        refused = [f"{entry.name}/{entry.version}: {entry.reason}" for entry in self._entries.values()]
        return refused or [self._emptiness]

    def _listed(self) -> list[tuple[str, str]]:
        """What the repository holds; that it cannot be read is logged once, not at every look."""
        try:
            found = list(self._repository.list())
        except OSError as error:
            if self._emptiness != _UNREADABLE:
                _log.error("the repository cannot be read: %s", error)
            self._emptiness = _UNREADABLE
            return []
        self._emptiness = _NO_BUNDLE
        return found

    def _load(self, name: str, version: str) -> Entry:
        try:
            bundle = self._repository.read(name, version)
            model = assemble(bundle, self.provider, self._workers, self._metrics, self._settings)
            return Entry(name, version, "READY", model=model)
        except BundleError as error:
            reason = str(error)
        except (BundleNotFound, OSError):
            reason = "the folder cannot be read"
        except Exception:  # a bundle comes from anywhere: whatever it breaks, the others serve
            _log.exception("%s/%s broke the loading", name, version)
            reason = "it could not be loaded; the service's log says why"
        _log.warning("%s/%s is not served: %s", name, version, reason)
        return Entry(name, version, "UNAVAILABLE", reason=reason)

    def _set(self, entry: Entry) -> None:
        self._entries[entry.name, entry.version] = entry
        for state in ("READY", "UNAVAILABLE", "LOADING"):
            self._metrics.model_state.labels(entry.name, entry.version, state).set(state == entry.state)


def _by_version(known: tuple[tuple[str, str], Entry]) -> tuple[str, int, str]:
    (name, version), _ = known
    return name, int(version) if version.isdecimal() else 0, version
