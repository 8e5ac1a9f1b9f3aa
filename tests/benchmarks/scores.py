"""Rows a second of a score with K = 64: through the service's batcher, and PyTorch eager, which encodes once too."""

import asyncio
import os
import statistics
import time

import numpy as np
import torch

from models.repository import SHIPPED, Repository
from service.assembly import assemble
from service.draw import Draw
from service.metrics import Metrics
from service.served_model import ServedModel
from service.settings import Settings
from service.workers import Workers
from training.families.vae import VAE, VAEOptions

MODEL = "vae-mnist"
ROWS, SAMPLES = 16, 64
CALLS = int(os.environ.get("REPARAM_SCORE_CALLS", "20"))
ROUNDS = 5


def run() -> None:
    """One thread each, in turn; the noise is drawn by either in its own way."""
    torch.set_num_threads(1)
    bundle = Repository(SHIPPED).read(MODEL, "1")
    settings = Settings(runs=1)
    workers = Workers(1)
    model = assemble(bundle, "CPUExecutionProvider", workers, Metrics(), settings)
    options = VAEOptions.model_validate(bundle.manifest.provenance.recipe["model"])
    family = VAE(options, bundle.manifest.x, bundle.manifest.shapes["x"]).eval()  # its weights are no matter of time
    x = (np.random.default_rng(0).random((ROWS, *bundle.manifest.shapes["x"])) < 0.13).astype(np.float32)
    pairs = [(asyncio.run(ours(model, x)), theirs(family, x)) for _ in range(ROUNDS)]
    workers.close()
    rates = [statistics.median(values) for values in zip(*pairs, strict=True)]
    ratios = [ours / theirs for ours, theirs in pairs]
    print(
        f"  {MODEL} score of {ROWS} rows, K = {SAMPLES}, one thread: service {rates[0]:.0f} rows/s, PyTorch eager "
        f"{rates[1]:.0f}, ratio {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}"
    )


async def ours(model: ServedModel, x: np.ndarray) -> float:
    """Rows a second."""
    began = time.perf_counter()
    for seed in range(CALLS):
        await model.score_terms(x, range(SAMPLES), Draw(seed))
    return CALLS * len(x) / (time.perf_counter() - began)


def theirs(family: VAE, x: np.ndarray) -> float:
    rows = torch.from_numpy(x)
    began = time.perf_counter()
    with torch.inference_mode():
        for _ in range(CALLS):
            family.score(rows, torch.randn(len(x), SAMPLES, family.options.latent))
    return CALLS * len(x) / (time.perf_counter() - began)
