"""Score the examples of a file or a folder: bounds of log p(x) with their errors, as CSV or Parquet.

The input is .npy, .npz, .csv, .parquet or a folder of images. What is scored is kept beside the output in a file of the
same name and `.partial`: the same command goes on from there, however the last one ended, and the result is the same.
"""

import argparse
import asyncio
import sys
from contextlib import closing
from math import prod
from pathlib import Path
from typing import Any

from models.errors import ReparamError
from service.bulk.digest import digest
from service.bulk.extra import library
from service.bulk.partial import Partial
from service.bulk.publication import check_output, publish
from service.bulk.scorer import Scorer, rows_of_a_part
from service.bulk.sources import Source, open_source
from service.client import AsyncReparam, RequestFailed
from service.client.results import Model
from service.command import connection

_TIMEOUT_SECONDS, _RETRIES = 600.0, 120  # a service that is started anew is waited for


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model")
    parser.add_argument("data", type=Path, help="a file of examples, or a folder of images")
    parser.add_argument("-o", "--output", type=Path, required=True, help="what to write: .csv or .parquet")
    parser.add_argument("--samples", type=int, default=16, metavar="K", help="samples a row (default: 16)")
    parser.add_argument("--seed", type=int, default=0, help="names the draw (default: 0)")
    parser.add_argument("--label", type=int, help="of a conditional model, for all rows")
    parser.add_argument("--version", type=int, help="of the model (default: the newest)")
    parser.add_argument("--rows", type=int, help="rows in one request")
    parser.add_argument("--window", type=int, default=6, help="requests under way at a time (default: 6)")
    parser.add_argument("--force", action="store_true", help="replace an output that is there")
    connection.arguments(parser)


def run(given: argparse.Namespace) -> int:
    if min(given.samples, given.window, given.rows or 1) < 1:
        raise ReparamError("--samples, --rows and --window are at least 1")
    check_output(given.output)
    if given.output.exists() and not _partial(given.output).exists() and not given.force:
        raise ReparamError(f"{given.output} is there already; --force replaces it")
    progress = library("tqdm", "progress bars").tqdm
    return asyncio.run(_run(given, progress))


async def _run(given: argparse.Namespace, progress: Any) -> int:
    patient = {**connection.settings(given), "timeout": _TIMEOUT_SECONDS, "retries": _RETRIES}
    async with AsyncReparam(**patient) as client:
        model = await client.model(given.model, given.version)
        if "score" not in model.operations:
            raise ReparamError(f"{model.name} cannot score: {model.absent['score']}")
        source = open_source(given.data, model)
        rows = given.rows or rows_of_a_part(given.samples, prod(model.shapes["x"]))
        scorer = Scorer(client, model, source, given.samples, given.seed, given.label, rows, given.window)
        with closing(Partial(_partial(given.output), _header(given, model, source, rows))) as partial:
            with progress(total=source.rows, initial=partial.rows, unit="rows", disable=None) as bar:
                await _score(scorer, partial, bar)
            publish(partial, source.column, given.output)
            partial.delete()
    print(f"{given.output}: {source.rows} rows, {model.name} version {model.version}, seed {given.seed}")
    return 0


async def _score(scorer: Scorer, partial: Partial, bar: Any) -> None:
    try:
        await scorer.run(partial, bar.update)
    except (ReparamError, RequestFailed, asyncio.CancelledError):
        bar.close()
        kept = f"{partial.rows} of {scorer.source.rows} rows are kept"
        print(f"{kept}; the same command goes on from there", file=sys.stderr)
        raise


def _partial(output: Path) -> Path:
    return output.with_name(f"{output.name}.partial")


def _header(given: argparse.Namespace, model: Model, source: Source, rows: int) -> dict[str, Any]:
    """All that the scores depend on, and how they were cut."""
    return {
        "partial": "reparam score",
        "model": model.name,
        "version": model.version,
        "digest": model.digest,
        "samples": given.samples,
        "seed": given.seed,
        "label": given.label,
        "data": digest(given.data),
        "count": source.rows,
        "rows": rows,
    }
