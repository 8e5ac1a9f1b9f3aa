"""The inference protocol's statistics: how many rows and runs, and where the time went."""

from fastapi import APIRouter

from service.routes.dependencies import ModelRegistry, Served, ServiceMetrics, ServiceStatistics, problems
from service.schemas.inference import Duration, InferenceStatistics, ModelStatistics, StatisticsResponse
from service.statistics import Tally

server = APIRouter()
model = APIRouter(responses=problems(404, 422, 503))


@server.get("/v2/models/stats")
async def all_statistics(
    registry: ModelRegistry, metrics: ServiceMetrics, statistics: ServiceStatistics
) -> StatisticsResponse:
    """Of every version that serves."""
    runs = metrics.runs()
    keys = [(entry.name, entry.version) for entry in registry.entries() if entry.model]
    return StatisticsResponse(model_stats=[_statistics(*key, statistics.of(*key), runs[key]) for key in keys])


@model.get("/stats")
async def model_statistics(
    served: Served, metrics: ServiceMetrics, statistics: ServiceStatistics
) -> StatisticsResponse:
    key = served.manifest.name, str(served.manifest.version)
    return StatisticsResponse(model_stats=[_statistics(*key, statistics.of(*key), metrics.runs()[key])])


def _statistics(name: str, version: str, tally: Tally, runs: int) -> ModelStatistics:
    def answered(seconds: float) -> Duration:
        return _duration(tally.answered, seconds)

    return ModelStatistics(
        name=name,
        version=version,
        last_inference=round(1000 * tally.last),
        inference_count=tally.rows,
        execution_count=runs,
        inference_stats=InferenceStatistics(
            success=answered(tally.answering),
            fail=_duration(tally.failed, tally.failing),
            queue=answered(tally.queue),
            compute_input=answered(tally.draw),
            compute_infer=answered(max(0.0, tally.infer - tally.draw)),
            compute_output=answered(tally.encode),
        ),
    )


def _duration(count: int, seconds: float) -> Duration:
    return Duration(count=count, ns=round(1e9 * seconds))
