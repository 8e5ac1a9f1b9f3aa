"""List the models that a service has."""

import argparse

from service.client import Reparam
from service.command import connection


def arguments(parser: argparse.ArgumentParser) -> None:
    connection.arguments(parser)


def run(given: argparse.Namespace) -> int:
    with Reparam(**connection.settings(given)) as client:
        states = client.models()
    rows = [("model", "version", "state", "it can, or why it does not serve")]
    rows += [(state.name, state.version, state.state, state.reason or ", ".join(state.operations)) for state in states]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for row in rows:
        print("  ".join([*(text.ljust(width) for text, width in zip(row, widths, strict=False)), row[3]]))
    return 0
