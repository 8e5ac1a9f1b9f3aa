"""What Prometheus may scrape; labels come from closed sets only."""

import os
from collections import Counter as Counts
from collections.abc import Set

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which says when the first began

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_ROWS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SHARED = "PROMETHEUS_MULTIPROC_DIR"  # in the environment: the folder in which several processes count together

_GRAPH = ("model", "version", "graph")


class Metrics:
    """One set a service, in base units. Where processes count together, each tells the counts of all.

    What they share cannot be dropped: series of versions that are no longer served then stay until the service ends.
    """

    def __init__(self) -> None:
        self._folder = os.environ.get(SHARED)
        self._collectors = here = CollectorRegistry()
        self._runs_before: Counts[tuple[str, str]] = Counts()
        self._answers: dict[tuple[str, str, str, int], tuple[Counter, Histogram]] = {}
        self.requests = Counter(
            "reparam_requests", "Requests answered", ("model", "version", "operation", "code"), registry=here
        )
        self.request_duration = Histogram(
            "reparam_request_duration_seconds", "Whole request", ("operation",), buckets=_SECONDS, registry=here
        )
        self.queue_duration = Histogram(
            "reparam_queue_duration_seconds", "Wait for a run", _GRAPH, buckets=_SECONDS, registry=here
        )
        self.infer_duration = Histogram(
            "reparam_infer_duration_seconds", "Run of a graph, noise included", _GRAPH, buckets=_SECONDS, registry=here
        )
        self.batch_rows = Histogram(
            "reparam_batch_rows", "Rows times samples of a run", _GRAPH, buckets=_ROWS, registry=here
        )
        self.queue_rows = Gauge(
            "reparam_queue_rows", "Rows times samples that wait", _GRAPH, registry=here, multiprocess_mode="livesum"
        )
        self.rejected = Counter("reparam_rejected", "Requests refused for lack of room", ("reason",), registry=here)
        self.journal_missed = Counter(
            "reparam_journal_missed", "Lines of the journal that nobody read in time", registry=here
        )
        self.cancelled = Counter("reparam_cancelled", "Work whose caller left", ("stage",), registry=here)
        self.model_state = Gauge(
            "reparam_model_state",
            "1 in this state",
            ("model", "version", "state"),
            registry=here,
            multiprocess_mode="livemax",
        )
        self.model_refused = Gauge(
            "reparam_model_refused",
            "1 if the version was refused or unloaded, 0 if it serves or would when asked",
            ("model", "version"),
            registry=here,
            multiprocess_mode="livemax",
        )
        self.model_load = Histogram(
            "reparam_model_load_seconds", "Read, check and load of a bundle", buckets=_SECONDS, registry=here
        )
        self.provider_info = Gauge(
            "reparam_provider_info", "The provider in use", ("provider",), registry=here, multiprocess_mode="livemax"
        )

    def answered(self, model: str, version: str, operation: str, status: int, seconds: float) -> None:
        """Count a request that is over; to find its series costs more than to add to them."""
        key = (model, version, operation, status)
        if key not in self._answers:
            self._answers[key] = self.requests.labels(*key), self.request_duration.labels(operation)
        count, duration = self._answers[key]
        count.inc()
        duration.observe(seconds)

    def runs(self) -> Counts[tuple[str, str]]:
        """How many runs each version of each model has had, over all of its graphs, also before it was unloaded."""
        runs = self._runs_before.copy()
        for family in self._all().collect() if self._folder else self.batch_rows.collect():
            for sample in family.samples:
                if sample.name == "reparam_batch_rows_count":
                    runs[sample.labels["model"], sample.labels["version"]] += int(sample.value)
        return runs

    def forget(self, model: str, version: str) -> None:
        """Drop the series of a version that is no longer served; an answer counted later brings its own back."""
        if self._folder:
            self._clear(self.queue_rows, self.model_state, self.model_refused, of=(model, version))
            return
        self._answers.clear()
        self._runs_before[model, version] = self.runs()[model, version]
        for metric in (
            self.requests,
            self.queue_duration,
            self.infer_duration,
            self.batch_rows,
            self.queue_rows,
            self.model_state,
            self.model_refused,
        ):
            metric.remove_by_labels({"model": model, "version": version})

    def keep(self, versions: Set[tuple[str, str]]) -> None:
        """Drop all that is known of other versions, also what was counted after they had been forgotten."""
        if self._folder:
            return
        counted = {(model, version) for model, version, *_ in self._answers if version}
        for key in (counted | self._runs_before.keys()) - versions:
            self.forget(*key)
            self._runs_before.pop(key, None)

    def render(self) -> bytes:
        """The text format of Prometheus."""
        return generate_latest(self._all())

    def _all(self) -> CollectorRegistry:
        if not self._folder:
            return self._collectors
        together = CollectorRegistry()
        MultiProcessCollector(together, self._folder)  # type: ignore[no-untyped-call]
        return together

    @staticmethod
    def _clear(*gauges: Gauge, of: tuple[str, str]) -> None:
        for gauge in gauges:
            for sample in [sample for family in gauge.collect() for sample in family.samples]:
                if (sample.labels["model"], sample.labels["version"]) == of:
                    gauge.labels(**sample.labels).set(0)
