"""Epochs a second of the same VAE, on the same data, batch and threads: ours and pythae's, in turn."""

import contextlib
import io
import logging
import statistics
import tempfile
import time
from pathlib import Path

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

ROWS, PIXELS, BATCH, LATENT, HIDDEN = 20_000, 784, 100, 40, 512
EPOCHS, ROUNDS, THREADS = 3, 3, 2


def run() -> None:
    print(
        f"training: a VAE of {PIXELS}-{HIDDEN}-{LATENT}-{HIDDEN}-{PIXELS} units with relu, {ROWS:,} rows, "
        f"batch {BATCH}, {THREADS} threads, Adam; each epoch with validation on {ROWS // 10:,} rows"
    )
    torch.set_num_threads(THREADS)
    logging.disable()
    rows = (np.random.default_rng(0).random((ROWS + ROWS // 10, 28, 28)) < 0.13).astype(np.uint8)
    train, validation = rows[:ROWS], rows[ROWS:]
    seconds: dict[str, list[float]] = {"ours": [], "pythae": []}
    for _ in range(ROUNDS):
        seconds["ours"].append(ours(train, validation))
        seconds["pythae"].append(pythae(train, validation))
    for name, times in seconds.items():
        rates = [EPOCHS / time for time in times]
        print(f"  {name:<8} {statistics.median(rates):6.3f} epochs/s, from {min(rates):.3f} to {max(rates):.3f}")
    ratios = [slow / fast for fast, slow in zip(*seconds.values(), strict=True)]
    print(f"  ours is {statistics.median(ratios):.2f} times as fast, from {min(ratios):.2f} to {max(ratios):.2f}")


def ours(train: np.ndarray, validation: np.ndarray) -> float:
    """Seconds for the epochs, with the moving average and the checkpoints that a recipe's training has."""
    data = Dataset("rows", Example(kind="image", support="binary", range=(0, 1)), train, validation, validation)
    hidden = {"widths": [HIDDEN], "activation": "relu"}
    recipe = Recipe.model_validate(
        {
            "name": "bench",
            "title": "A benchmark",
            "family": "vae",
            "data": {"source": "rows"},
            "model": {"latent": LATENT, "likelihood": "bernoulli", "encoder": hidden, "decoder": hidden},
            "training": {"epochs": EPOCHS, "batch_size": BATCH, "threads": THREADS},
        }
    )
    family = build.build(recipe, data)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        began = time.perf_counter()
        fit(family, data, recipe, Path(folder) / "checkpoint.pt", "cpu")
        return time.perf_counter() - began


def pythae(train: np.ndarray, validation: np.ndarray) -> float:
    """Seconds for the epochs with its default networks, which are of this very shape."""
    model = VAE(VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce"))
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
