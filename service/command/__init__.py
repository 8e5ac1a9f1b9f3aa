"""reparam: ask a service from the shell."""

import argparse
import sys
from collections.abc import Sequence
from typing import Protocol

from models.errors import ReparamError
from service.client import RequestFailed
from service.command import bench, models, sample, score


class Subcommand(Protocol):
    """A module whose first line says what it does."""

    __doc__: str | None

    def arguments(self, parser: argparse.ArgumentParser) -> None: ...

    def run(self, given: argparse.Namespace) -> int: ...


SUBCOMMANDS: dict[str, Subcommand] = {
    "models": models,
    "sample": sample,
    "score": score,
    "bench": bench,
}


def main(argv: Sequence[str] | None = None) -> int:
    given = _parser().parse_args(argv)
    try:
        return SUBCOMMANDS[given.subcommand].run(given)
    except (ReparamError, RequestFailed, OSError) as error:
        print(f"reparam: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("reparam", description=__doc__)
    subparsers = parser.add_subparsers(dest="subcommand", required=True, metavar="COMMAND")
    for name, subcommand in SUBCOMMANDS.items():
        words = (subcommand.__doc__ or "").strip()
        subcommand.arguments(subparsers.add_parser(name, help=words.splitlines()[0], description=words))
    return parser
