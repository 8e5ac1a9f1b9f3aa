"""Draw new examples and write them to a file: a picture, npy or CSV."""

import argparse
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from models.errors import ReparamError
from service.bulk.whole_file import whole_file
from service.client import Reparam
from service.client.arrays import Floats
from service.command import connection

_ROWS = 1024  # in one request


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model")
    parser.add_argument("-n", "--num-samples", type=int, default=1, metavar="N", help="how many (default: 1)")
    parser.add_argument("-o", "--output", type=Path, required=True, help="what to write: .png, .npy or .csv")
    parser.add_argument("--seed", type=int, help="names the draw; drawn and printed if missing")
    parser.add_argument("--index", type=int, default=0, help="the first row's place in the seed's stream")
    parser.add_argument("--temperature", type=float, help="scales all noise, 0 to 2 (default: 1)")
    parser.add_argument("--label", type=int, help="of a conditional model")
    connection.arguments(parser)


def run(given: argparse.Namespace) -> int:
    if given.output.suffix not in _WRITERS:
        raise ReparamError(f"{given.output} can be written as {', '.join(_WRITERS)}")
    if given.num_samples < 1:
        raise ReparamError("-n is at least 1")
    seed = secrets.randbelow(2**53) if given.seed is None else given.seed
    how = {"seed": seed, "temperature": given.temperature, "label": given.label}
    with Reparam(**connection.settings(given)) as client, whole_file(given.output) as file:
        _WRITERS[given.output.suffix](client, given, how, file)
    print(f"{given.output}: {given.num_samples} of {given.model}, seed {seed}")
    return 0


def _as_png(client: Reparam, given: argparse.Namespace, how: dict[str, Any], file: Path) -> None:
    file.write_bytes(client.sample_picture(given.model, given.num_samples, index=given.index, **how))


def _as_npy(client: Reparam, given: argparse.Namespace, how: dict[str, Any], file: Path) -> None:
    with file.open("wb") as opened:
        np.save(opened, np.concatenate(list(_parts(client, given, how))), allow_pickle=False)


def _as_csv(client: Reparam, given: argparse.Namespace, how: dict[str, Any], file: Path) -> None:
    """A line an example, its values row by row; nine digits tell every float apart."""
    with file.open("w") as opened:
        for x in _parts(client, given, how):
            np.savetxt(opened, x.reshape(len(x), -1), fmt="%.9g", delimiter=",")


def _parts(client: Reparam, given: argparse.Namespace, how: dict[str, Any]) -> Iterator[Floats]:
    """x in requests of no more rows than a service takes; a row does not depend on those drawn with it."""
    for start in range(0, given.num_samples, _ROWS):
        rows = min(_ROWS, given.num_samples - start)
        x = client.sample(given.model, rows, index=given.index + start, outputs=["x"], **how).x
        assert x is not None  # it was asked for
        yield x


_WRITERS = {".png": _as_png, ".npy": _as_npy, ".csv": _as_csv}
