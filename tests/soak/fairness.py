"""G21: a small sample beside large autoregressive draws that fill the queue waits no longer than three times alone."""

import asyncio

from tests.benchmarks.fairness import AUTOREGRESSIVE, VAE, beside, bundles
from tests.live_server import live_server
from tests.soak.table import Row
from tests.soak.tier import tier

LOADERS = 16
ROWS = 64


def run() -> Row:
    with bundles(VAE, AUTOREGRESSIVE) as root, live_server(repository=root, journal=False) as server:
        server.wait_until_ready()
        found = asyncio.run(beside(server, loaders=LOADERS, rows=ROWS, rounds=3, seconds=tier(3.0, 20.0)))
    return Row(
        f"{LOADERS} callers with draws of {ROWS} autoregressive rows: p99 of a small sample ≤ 3× alone",
        f"p99 {found.alone:.1f} → {found.beside:.1f} ms ({found.ratio:.1f}×, median of 3)",
        found.ratio <= 3,
    )
