"""Reparam beside its peers; writes the tables into docs/benchmarks.md and the README."""

import shutil

from tests.benchmarks.peers import page
from tests.benchmarks.peers.contest import Contest


def run() -> None:
    if shutil.which("wrk") is None:
        print("peers: left out, for wrk is missing (apt install wrk)")
        return
    contest = Contest()
    contest.run()
    page.write(contest)
    print(page.compact(contest))
