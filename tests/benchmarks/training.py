"""Epochs a second of the same VAE, on the same data, batch and threads: ours and pythae's, in turn."""

import contextlib
import io
import logging
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pythae.data.datasets import BaseDataset
from pythae.models import VAE, VAEConfig
from pythae.trainers import BaseTrainer, BaseTrainerConfig

from models.manifest import Example
from training import build
from training.datasets.splits import Dataset
from training.recipe import Recipe
from training.trainer import fit

ROWS, BATCH, HIDDEN = 20_000, 100, 512  # the hidden layer is that of pythae's default networks
EPOCHS, ROUNDS, THREADS = 3, 3, 2


class Case(NamedTuple):
    """Images of side x side, the size of their code, and our precision; pythae's is single on a CPU."""

    side: int
    latent: int
    precision: str = "32-true"


CASES = (Case(28, 40), Case(28, 40, "bf16-mixed"), Case(8, 8))


def run() -> None:
    print(
        f"training: a VAE with one hidden layer of {HIDDEN} in either half, {ROWS:,} rows, batch {BATCH}, "
        f"{THREADS} threads, Adam; each epoch with validation on {ROWS // 10:,} rows; epochs a second"
    )
    torch.set_num_threads(THREADS)
    logging.disable()
    for case in CASES:
        compare(case)


def compare(case: Case) -> None:
    rows = (np.random.default_rng(0).random((ROWS + ROWS // 10, case.side, case.side)) < 0.13).astype(np.uint8)
    train, validation = rows[:ROWS], rows[ROWS:]
    times = [(ours(case, train, validation), pythae(case, train, validation)) for _ in range(ROUNDS)]
    rates = [statistics.median(EPOCHS / seconds for seconds in each) for each in zip(*times, strict=True)]
    ratios = [slow / fast for fast, slow in times]
    print(
        f"  {case.side}x{case.side}, code of {case.latent}, {case.precision:<10}  ours {rates[0]:6.3f}  "
        f"pythae {rates[1]:6.3f}  ratio {statistics.median(ratios):.2f}, from {min(ratios):.2f} to {max(ratios):.2f}"
    )


def ours(case: Case, train: np.ndarray, validation: np.ndarray) -> float:
    """Seconds for the epochs, with the moving average, events and checkpoints that a recipe's training has."""
    data = Dataset("rows", Example(kind="image", support="binary", range=(0, 1)), train, validation, validation)
    hidden = {"widths": [HIDDEN], "activation": "relu"}
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "title": "A benchmark",
            "family": "vae",
            "data": {"source": "rows"},
            "model": {"latent": case.latent, "likelihood": "bernoulli", "encoder": hidden, "decoder": hidden},
            "training": {"epochs": EPOCHS, "batch_size": BATCH, "threads": THREADS, "precision": case.precision},
        }
    )
    family = build.build(recipe, data)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        began = time.perf_counter()
        fit(family, data, recipe, Path(folder) / "checkpoint.pt", "cpu")
        return time.perf_counter() - began


def pythae(case: Case, train: np.ndarray, validation: np.ndarray) -> float:
    """Seconds for the epochs with its default networks, which are of this very shape."""
    shape = (1, case.side, case.side)
    model = VAE(VAEConfig(input_dim=shape, latent_dim=case.latent, reconstruction_loss="bce"))
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=EPOCHS,
            per_device_train_batch_size=BATCH,
            per_device_eval_batch_size=BATCH,
            learning_rate=1e-3,
            no_cuda=True,
        )
        sets = (BaseDataset(_float(rows), torch.zeros(len(rows))) for rows in (train, validation))
        trainer = BaseTrainer(model, *sets, training_config=config)
        began = time.perf_counter()
        trainer.train()
        return time.perf_counter() - began


def _float(rows: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(rows).float().unsqueeze(1)
