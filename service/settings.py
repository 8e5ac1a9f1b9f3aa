"""What an operator may set, as REPARAM_... in the environment or as flags of reparam-serve."""

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.repository import SHIPPED

Positive = Annotated[int, Field(ge=1)]
Limit = Literal[
    "batch_rows",
    "queue_rows",
    "request_rows",
    "request_samples",
    "request_rows_times_samples",
    "request_steps",
    "answer_bytes",
]


class Settings(BaseSettings):
    """Sizes are in rows unless the name says otherwise; a request over a limit is refused before anything is queued."""

    model_config = SettingsConfigDict(
        env_prefix="REPARAM_",
        frozen=True,
        cli_prog_name="reparam-serve",
        cli_kebab_case=True,
        cli_hide_none_type=True,
    )

    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    workers: Positive = Field(1, description="processes that serve; each loads every model")
    drain_seconds: float = Field(
        5.0, ge=0, description="time after SIGTERM in which it still answers, so that who sends requests can turn away"
    )
    repository: Path = Field(SHIPPED, description="folder of bundles; the shipped ones unless set")
    device: Literal["auto", "cuda", "cpu"] = Field("auto", description="auto takes the GPU where there is one")
    admin: bool = Field(False, description="whether models may be loaded and unloaded over HTTP, by whoever asks")
    watch_seconds: float = Field(
        2.0, gt=0, description="longest time between two looks for new bundles in the repository"
    )
    golden_seconds: float = Field(30.0, gt=0, description="longest time that the golden rows of an operation may run")
    versions: Positive = Field(
        2, description="versions of a model that stay loaded, the newest; others load when asked"
    )
    runs: Positive = Field(
        default_factory=lambda given: max(1, (os.cpu_count() or 1) // given.get("workers", 1)),
        description="graph runs at a time in each process; the cores, shared out",
    )
    threads: Positive = Field(1, description="threads within one run")
    batch_rows: Positive = Field(256, description="rows (times samples) of one run")
    queue_rows: Positive = Field(16_384, description="rows (times samples) that may wait for one graph")
    queue_seconds: float = Field(
        30.0, gt=0, description="longest expected wait; a request that meets a longer one is refused"
    )
    timeout_seconds: float = Field(60.0, gt=0, description="deadline of a request that sets none")
    request_rows: Positive = Field(4_096, description="rows in one request")
    request_samples: Positive = Field(10_000, description="samples a row of a score")
    request_rows_times_samples: Positive = Field(200_000, description="rows times samples of a score")
    request_steps: Positive = Field(256, description="steps of an interpolation, values of a traversal")
    limits: dict[str, dict[Limit, Positive]] = Field(
        {}, description='other sizes for some models, as JSON: {"ar-mnist": {"request_rows": 64}}'
    )
    json_body_bytes: Positive = Field(4 * 2**20, description="size of a JSON body")
    body_bytes: Positive = Field(64 * 2**20, description="size of a body that is not JSON")
    answer_bytes: Positive = Field(256 * 2**20, description="size of an answer")

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.admin and self.workers > 1:
            raise ValueError("admin goes with one worker: one of several alone would load or unload a model")
        return self

    def of(self, model: str) -> "Settings":
        """The settings with the limits of that model."""
        return self.model_copy(update={str(name): size for name, size in self.limits.get(model, {}).items()})
