"""What an operator may set, as REPARAM_... in the environment or as flags of reparam-serve."""

import os
from pathlib import Path
from typing import Annotated, Literal

from limits import parse
from pydantic import AfterValidator, Field, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from models.repository import SHIPPED


def _rate(text: str) -> str:
    """ValueError unless it is one, or nothing."""
    if text:
        parse(text)
    return text


Positive = Annotated[int, Field(ge=1)]
Rate = Annotated[str, AfterValidator(_rate)]
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
    loader: bool = Field(True, description="whether bundles are tried in a process of their own before they are loaded")
    load_seconds: float = Field(60.0, gt=0, description="longest time in which a bundle may be tried there")
    load_bytes: Positive = Field(2 * 2**30, description="memory that trying a bundle may take there")
    versions: Positive = Field(
        2, description="versions of a model that stay loaded, the newest; others load when asked"
    )
    runs: Positive = Field(
        default_factory=lambda given: max(1, (os.cpu_count() or 1) // given.get("workers", 1)),
        description="graph runs at a time in each process; the cores, shared out",
    )
    threads: Positive = Field(1, description="threads within one run")
    batch_rows: Positive = Field(
        1_024, description="rows (times samples) of a run; 256 in one that is shared, long or on a GPU"
    )
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

    header_bytes: Positive = Field(32 * 2**10, description="size of the headers, the request line included")
    headers: Positive = Field(100, description="number of headers")
    chunks: Positive = Field(65_536, description="chunks of a body that comes in chunks")
    connections: Positive = Field(1_000, description="connections at a time")
    connections_per_address: Positive | None = Field(None, description="those of one address; unless set, all of them")
    header_seconds: float = Field(
        10.0, gt=0, description="time for the headers, from their first byte or the connection"
    )
    body_seconds: float = Field(
        10.0, gt=0, description="time for a request, and one second more for every 64 KiB of it"
    )
    receive_seconds: float = Field(60.0, gt=0, description="time for a request, however long it is")
    write_seconds: float = Field(25.0, gt=0, description="time in which a caller has to take some more of its answer")
    unread_bytes: Positive = Field(
        48 * 2**20, description="size of the large answers together that their callers have not taken yet"
    )
    keys: Path | None = Field(
        None, description="file of API keys, as reparam-key writes it; without it nobody needs one"
    )
    open: bool = Field(False, description="whether an address that others can reach is served without keys")
    rate: Rate = Field("", description='most requests of a key that sets no other rate, as "100/minute"')
    rate_file: Path | None = Field(None, description="where processes count together; the service makes one unless set")
    hosts: str = Field("", description="names it goes by besides loopback and HOST, with commas between; * is any")
    docs: bool = Field(True, description="whether /openapi.json and /docs are there")
    metrics: bool = Field(True, description="whether /metrics is there")
    journal: bool = Field(True, description="whether each request is told on standard output, as a line of JSON")

    @model_validator(mode="after")
    def _fits_together(self) -> "Settings":
        if self.admin and self.workers > 1:
            raise ValueError("admin goes with one worker: one of several alone would load or unload a model")
        return self

    def of(self, model: str) -> "Settings":
        """The settings with the limits of that model."""
        return self.model_copy(update={str(name): size for name, size in self.limits.get(model, {}).items()})
