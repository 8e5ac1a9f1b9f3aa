"""Which bundles are served now: loaded, checked, warmed and swapped in whole, or refused with the reason."""

import asyncio
import logging
import time
from collections.abc import Iterator

from models.repository import Bundle
from service.assembly import assemble
from service.attempt import attempt
from service.entries import Entries, Entry
from service.graph import provider
from service.inventory import Inventory
from service.loader import Loader
from service.metrics import Metrics
from service.served_model import ServedModel
from service.settings import Settings
from service.workers import Workers

_OLDER = "not loaded, as newer versions are; a request for this version loads it"
_UNLOADED = "it was unloaded"
_IN_HAND = 2  # bundles at a time: one that is tried, and one that was and is being loaded
_DRAIN_SECONDS = 0.02  # between two looks at whether a model's work is done

_log = logging.getLogger("reparam")


class Registry:
    """The bundles of one repository on one device, on one event loop.

    Loaded are the newest `versions` of each model that are good, and beside them the one that was asked for last by its
    number. A request keeps the model that it found, so what is swapped out finishes its work.
    """

    def __init__(self, settings: Settings, metrics: Metrics, loader: Loader | None = None) -> None:
        self._settings = settings
        self._metrics = metrics
        self._inventory = Inventory(settings.repository, loader)
        self._workers = Workers(settings.runs)
        self._entries = Entries(metrics)
        self._unloaded: set[str] = set()
        self._asked_for: dict[str, str] = {}
        self._draining: set[asyncio.Task[None]] = set()
        self._one_at_a_time = asyncio.Lock()
        self._in_hand = asyncio.Semaphore(_IN_HAND)
        self.provider = provider(settings.device)
        self.loaded = False
        self._is_leaving = False
        metrics.provider_info.labels(self.provider).set(1)

    async def look(self) -> None:
        """Load what is new, try again what was refused and has changed, drop what is gone."""
        async with self._one_at_a_time:
            changed = await self._compare()
            await asyncio.gather(*map(self._settle, changed))
            if changed or not self.loaded:
                entries = list(self._entries)
                ready = sum(entry.state == "READY" for entry in entries)
                _log.info("%d of %d bundles ready on %s", ready, len(entries), self.provider)
            else:
                await asyncio.to_thread(self._inventory.rest)
            self.loaded = True

    async def load(self, name: str) -> None:
        """Load a model that was unloaded, refused or published just now; UnknownModel with the reason if it is bad."""
        async with self._one_at_a_time:
            self._unloaded.discard(name)
            await self._compare()
            for entry in self._entries.of(name):
                if not entry.model:
                    self._entries.put(Entry(*entry.key, "LOADING"))
            await self._settle(name)
        self.get(name)

    async def unload(self, name: str) -> None:
        """Serve none of a model's versions until it is loaded again; UnknownModel if there is none."""
        async with self._one_at_a_time:
            if not self._entries.of(name):
                raise self._entries.absence(name, is_loaded=self.loaded)
            self._unloaded.add(name)
            await self._settle(name)

    def leave(self) -> None:
        """From now on it is not ready, though it still answers."""
        self._is_leaving = True

    def close(self) -> None:
        for task in self._draining:
            task.cancel()
        self._workers.close()
        self._inventory.close()

    def entries(self) -> Iterator[Entry]:
        """Every version, by name and ascending version."""
        return iter(self._entries)

    def versions(self, name: str) -> list[Entry]:
        """What a request for a version of that model can have, ascending."""
        return [entry for entry in self._entries.of(name) if entry.model or entry.is_loadable]

    def get(self, name: str, version: str | None = None) -> ServedModel:
        """That version, or the newest one that is loaded; UnknownModel or Loading if there is none."""
        if version is None:
            model = self._entries.newest(name)
        else:
            entry = self._entries.get((name, version))
            model = entry.model if entry else None
        if model is None:
            raise self._entries.absence(name, version, is_loaded=self.loaded)
        return model

    async def pinned(self, name: str, version: str) -> ServedModel:
        """That version, loaded if need be; UnknownModel or Loading if it cannot be."""
        entry = self._entries.get((name, version))
        if entry is None or entry.model or entry.is_refused or not self.loaded:
            return self.get(name, version)
        async with self._one_at_a_time:
            self._asked_for[name] = version
            await self._settle(name)
            return self.get(name, version)

    def reasons(self) -> list[str]:
        """Why the service is not ready; empty when it is."""
        if self._is_leaving:
            return ["the service is shutting down"]
        if not self.loaded:
            return ["the models are still being loaded"]
        if any(entry.model for entry in self._entries):
            return []
        refused = [f"{entry.name}/{entry.version}: {entry.reason}" for entry in self._entries]
        return refused or [self._inventory.emptiness]

    def remarks(self) -> list[str]:
        """What is wrong though it serves."""
        return [f"{trouble}; what was loaded serves on" for trouble in [self._inventory.trouble] if trouble]

    async def _compare(self) -> list[str]:
        """Note what the repository holds now; the models of which that is another than before."""
        known = {entry.key for entry in self._entries}
        refused = {entry.key for entry in self._entries if entry.is_refused and entry.name not in self._unloaded}
        added, removed = await asyncio.to_thread(self._inventory.compare, known, refused)
        for key in added:
            self._entries.put(Entry(*key, "LOADING"))
        for key in removed:
            self._entries.drop(key)
        return list(dict.fromkeys(name for name, _ in (*added, *removed)))

    async def _settle(self, name: str) -> None:
        """Have the versions loaded that are to be: the newest first, so that no older one answers for it meanwhile."""
        room = 0 if name in self._unloaded else self._settings.versions
        for entry in reversed(self._entries.of(name)):
            is_asked_for = room == 0 and self._asked_for.get(name) == entry.version and name not in self._unloaded
            if not (room or is_asked_for):
                self._put_away(entry)
            elif entry.model or await self._load(entry):
                room = max(0, room - 1)

    async def _load(self, entry: Entry) -> bool:
        """Whether it serves now."""
        if entry.is_refused:
            return False
        self._entries.put(Entry(*entry.key, "LOADING"))
        async with self._in_hand:
            started = time.perf_counter()
            tried = await asyncio.to_thread(attempt, entry.key, self._inventory, self._assemble)
        self._entries.put(tried)
        self._metrics.model_load.observe(time.perf_counter() - started)
        return tried.model is not None

    def _assemble(self, bundle: Bundle) -> ServedModel:
        return assemble(bundle, self.provider, self._workers, self._metrics, self._settings)

    def _put_away(self, entry: Entry) -> None:
        """Out of service, at once for new requests; it counts as unloading until the others have their answers."""
        if entry.is_refused:
            return
        is_loadable = entry.name not in self._unloaded
        resting = Entry(*entry.key, "UNAVAILABLE", _OLDER if is_loadable else _UNLOADED, is_loadable=is_loadable)
        leaving = Entry(*entry.key, "UNLOADING", is_loadable=is_loadable)
        if entry in (resting, leaving):
            return
        if entry.model and entry.model.is_busy:
            self._entries.put(leaving)
            task = asyncio.create_task(self._drain(entry.model, leaving, resting))
            self._draining.add(task)
            task.add_done_callback(self._draining.discard)
        else:
            self._rest(resting)

    async def _drain(self, model: ServedModel, leaving: Entry, resting: Entry) -> None:
        while model.is_busy:
            await asyncio.sleep(_DRAIN_SECONDS)
        if self._entries.get(leaving.key) is leaving:  # else it was loaded again, or is gone
            self._rest(resting)

    def _rest(self, resting: Entry) -> None:
        self._metrics.forget(*resting.key)
        self._entries.put(resting)
