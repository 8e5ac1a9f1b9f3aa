"""reparam-theory: the mathematics of the course, measured."""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import torch
from tqdm import tqdm

from training.theory import EXPERIMENTS
from training.theory.claim import Experiment
from training.theory.page import theory_page
from training.theory.table import markdown, plain

Measured = dict[str, Experiment]


def main() -> int:
    """0 if every claim holds, 1 if one does not, 2 if the command was not understood."""
    arguments = _arguments()
    names = [name for name in EXPERIMENTS if name in arguments.names or not arguments.names]
    os.environ["TQDM_DISABLE"] = "1"  # in the processes that measure: the bars of small trainings are not this one's
    done = dict(tqdm(_measure(names, arguments.processes), total=len(names), unit="experiment", disable=False))
    measured: Measured = {name: done[name] for name in names}
    print((markdown if arguments.markdown else plain)(measured))
    arguments.page.parent.mkdir(parents=True, exist_ok=True)
    arguments.page.write_bytes(theory_page(measured))
    failed = [claim for experiment in measured.values() for claim in experiment.claims if not claim.holds]
    claims = sum(len(experiment.claims) for experiment in measured.values())
    print(f"{claims - len(failed)} of {claims} claims hold; {arguments.page} shows them", file=sys.stderr)
    return 1 if failed else 0


def _measure(names: Sequence[str], processes: int) -> Iterator[tuple[str, Experiment]]:
    """As they are done; each in a process of one thread."""
    if processes == 1:
        torch.set_num_threads(1)
        yield from ((name, EXPERIMENTS[name]()) for name in names)
        return
    spawning = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, spawning, torch.set_num_threads, (1,)) as pool:
        named = {pool.submit(EXPERIMENTS[name]): name for name in names}
        for future in as_completed(named):
            yield named[future], future.result()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="reparam-theory", description="Measure the mathematics of the course.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXPERIMENTS)}; all if none is given")
    parser.add_argument("--page", type=Path, default=Path("runs/theory.html"), help="where to write it (%(default)s)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    parser.add_argument("--processes", type=int, choices=(1, 2), default=2, help="at once (%(default)s)")
    arguments = parser.parse_args()
    if unknown := [name for name in arguments.names if name not in EXPERIMENTS]:
        parser.error(f"there is no experiment {', '.join(unknown)}; there are {', '.join(EXPERIMENTS)}")
    return arguments


if __name__ == "__main__":
    sys.exit(main())
