"""What there is to gain at all: the same rows without a server, by ONNX Runtime and by PyTorch in this process."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from math import prod
from typing import Any, NamedTuple

import numpy as np
import torch

from models.repository import SHIPPED, Bundle, Repository
from tests.benchmarks.peers.cells import AUTOREGRESSIVE, DRAWN, LARGE, MANY_SAMPLES, VAE, Cell
from tests.benchmarks.sampling import PASSES, passes
from tests.loops import untrained
from training.exported import Exported
from training.families.vae import VAE as Family

CORES = os.cpu_count() or 1
_ROWS = 256  # of one run of the sample graph
_CODE = "z"


class Limit(NamedTuple):
    """`cell` is what it bounds; `call` gives `rows` rows, or a part of them, and is run on `threads` at a time."""

    name: str
    cell: Cell
    call: Callable[[], Any]
    rows: float
    threads: int

    def rate(self, seconds: float) -> float:
        """Rows a second."""
        torch.set_num_threads(1)
        self.call()
        began = time.perf_counter()

        def calls() -> int:
            count = 0
            while time.perf_counter() < began + seconds:
                self.call()
                count += 1
            return count

        with ThreadPoolExecutor(self.threads) as pool:
            counts = [pool.submit(calls) for _ in range(self.threads)]
            total = sum(count.result() for count in counts)
        return total * self.rows / (time.perf_counter() - began)


def limits(images: np.ndarray) -> list[Limit]:
    """Each on as many threads as the service has: one a core, but one for a single draw that is waited for."""
    vae, autoregressive = (_newest(name) for name in (VAE, AUTOREGRESSIVE))
    exported = Exported(vae.manifest.operations, vae.files)
    drawn = exported.draw("sample", index=0, rows=_ROWS)
    rows, samples = MANY_SAMPLES.rows, MANY_SAMPLES.samples
    score = {"x": images, **exported.draw("score", index=0, rows=rows, samples=range(samples))}
    network = untrained(autoregressive)
    steps = PASSES / prod(network.shape)
    return [
        Limit("ONNX Runtime, noise ready", LARGE, partial(exported.run, "sample", drawn), _ROWS, CORES),
        Limit("ONNX Runtime, noise by numpy", LARGE, lambda: exported.run("sample", _noise(drawn)), _ROWS, CORES),
        Limit("ONNX Runtime, noise ready", MANY_SAMPLES, partial(exported.run, "score", score), rows, CORES),
        Limit("PyTorch eager, noise ready", MANY_SAMPLES, _eager(vae, score), rows, CORES),
        *(
            Limit(
                f"PyTorch eager, {1 / steps * PASSES:.0f} passes",
                cell,
                partial(passes, network, cell.rows),
                cell.rows * steps,
                1,
            )
            for cell in DRAWN
        ),
    ]


def _newest(name: str) -> Bundle:
    repository = Repository(SHIPPED)
    return repository.read(name, repository.versions(name)[-1])


def _noise(like: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    rng = np.random.default_rng()
    return {
        name: rng.standard_normal(array.shape, np.float32)
        if name == _CODE
        else rng.logistic(size=array.shape).astype(np.float32)
        for name, array in like.items()
    }


def _eager(bundle: Bundle, feeds: dict[str, np.ndarray]) -> Callable[[], None]:
    """The family's own `score`, which encodes a row once; how long it takes is not a matter of its weights."""
    manifest = bundle.manifest
    options = Family.Options.model_validate(manifest.provenance.recipe["model"])
    family = Family(options, manifest.x, manifest.shapes["x"]).eval()
    tensors = {name: torch.from_numpy(array) for name, array in feeds.items()}

    def call() -> None:
        with torch.inference_mode():
            family.score(**tensors)

    return call
