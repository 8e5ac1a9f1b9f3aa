"""The one training loop, on Lightning Fabric: resumable to the bit, with averaged weights and early stopping."""

import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from training import checkpoint
from training.averaging import Averaged
from training.batches import Batch, on_device
from training.datasets.splits import Dataset
from training.errors import TrainingError
from training.events import recorded
from training.family import Family, Turn
from training.processes import launch
from training.recipe import Recipe, Training

_VALIDATION_ROWS = 1000
_FRAMES = 8
_PLAIN = ("best_weights", "history", "frames", "minutes")  # of the run's state
_DECIDES = {"family", "seed", "data", "model", "training"}  # what of a recipe decides the weights


class Fitted(NamedTuple):
    """The averaged weights of the best epoch are in the family; `history` has a row an epoch.

    `frames`, (times, rows, *shape), are what there was to see at evenly spread times of the training, if anything.
    """

    history: list[dict[str, float]]
    minutes: float
    frames: Tensor | None = None


def fit(family: Family, dataset: Dataset, recipe: Recipe, kept: Path, device: str = "auto") -> Fitted:
    """Train until the epochs are over or validation stops improving; go on from the checkpoint `kept` if it exists.

    Everything an epoch draws follows from (seed, epoch), so a run that was killed ends in the same weights, bit for
    bit, as one that was not: on the same machine, versions and threads. Several processes share each batch and take
    the steps that one would take, but for dropout, whose masks they draw alike, and for the batch means of free bits,
    which each takes over its own rows. TrainingError if a loss or a weight is not finite.
    """
    torch.set_num_threads(recipe.training.threads)
    fabric = launch(recipe.training, device)
    run = _Run(fabric, family, recipe, dataset.digest, kept)
    run.resume()
    train, validation = (on_device(fabric, dataset.examples(split)) for split in ("train", "validation"))
    with recorded(run.history, kept.with_name("events") if fabric.is_global_zero else None) as record:
        record()
        while not run.finished:
            started = time.monotonic()
            run.learn(train)
            run.judge(validation)
            run.minutes += (time.monotonic() - started) / 60
            run.save()
            record()
    family.load_state_dict(run.best_weights)
    family.to("cpu").eval()
    return Fitted(run.history, run.minutes, torch.stack([frame.cpu() for frame in run.frames]) if run.frames else None)


class _Run:
    """What a training remembers from one epoch to the next."""

    def __init__(self, fabric: Fabric, family: Family, recipe: Recipe, digest: str, kept: Path) -> None:
        self.fabric = fabric
        self.kept = kept
        self.recipe = recipe
        self._subject = {"recipe": recipe.model_dump_json(include=_DECIDES), "data": digest}
        self.settings: Training = recipe.training
        self.family = fabric.to_device(family)
        optimizers = family.optimizers(self.settings.learning_rate, self.settings.weight_decay)
        self.optimizers: dict[str, Any] = {name: fabric.setup_optimizers(o) for name, o in optimizers.items()}
        for group in self._parameter_groups():
            group["initial_lr"] = group["lr"]
        self.averaged = Averaged(self.family, self.settings.ema)
        self.best_weights: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []
        self.frames: list[Tensor] = []
        self.minutes = 0.0

    @property
    def epoch(self) -> int:
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        """Of those without a validation loss the last."""
        return min(range(self.epoch), key=lambda epoch: self.history[epoch].get("validation", -epoch))

    @property
    def finished(self) -> bool:
        patience = self.settings.patience
        out_of_patience = patience is not None and self.epoch and self.epoch - 1 - self.best_epoch >= patience
        return self.epoch >= self.settings.epochs or bool(out_of_patience)

    def learn(self, train: Batch) -> None:
        """One epoch over the training split, in an order of its own."""
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.epoch)
        self.family.train()
        steps = len(train.x) // self.settings.batch_size or 1
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(self._batches(train, steps)):
            step = self.epoch * steps + number
            self._set_learning_rate(step, self.settings.epochs * steps)
            turn = Turn(step, self.fabric, self.optimizers, self.settings.gradient_clip)
            with self.fabric.autocast():
                losses = self.family.train_step(batch.x.float(), batch.label, turn)
            self.averaged.follow(step)
            for name, value in losses.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach()
        means = {name: total / steps for name, total in sums.items()}
        self.history.append({name: float(mean) for name, mean in self.fabric.all_reduce(means).items()})
        self._refuse_what_is_not_finite()

    def judge(self, validation: Batch) -> None:
        """The validation loss of the averaged weights, which are kept if none were better or nothing tells; a frame."""
        torch.manual_seed(self.recipe.seed)
        self.averaged.catch_up()
        with torch.no_grad(), self.fabric.autocast():
            blocks = torch.arange(len(validation.x)).split(_VALIDATION_ROWS)
            given = [
                self.averaged.family.validation_loss(rows.x.float(), rows.label)
                for rows in map(validation.take, blocks)
            ]
        if losses := [loss for loss in given if loss is not None]:
            self.history[-1]["validation"] = float(torch.cat(losses).mean())
            self._refuse_what_is_not_finite()
        elif self.settings.patience is not None:
            raise TrainingError(f"patience watches a validation loss, and the family {self.recipe.family} has none")
        if self.best_epoch == self.epoch - 1:
            self.best_weights = {name: value.clone() for name, value in self.averaged.family.state_dict().items()}
        if self.epoch * _FRAMES // self.settings.epochs > len(self.frames):
            self.frames += [frame for frame in [self.averaged.family.frame()] if frame is not None]

    def save(self) -> None:
        if self.fabric.is_global_zero:
            checkpoint.save({**self._subject, **self._state()}, self.kept)
        self.fabric.barrier()

    def resume(self) -> None:
        saved = checkpoint.load(self.kept, self.fabric.device)
        if saved is None:
            return
        for what in ("recipe", "data"):
            if saved[what] != self._subject[what]:
                raise TrainingError(f"{self.kept} is of another {what}; go back to that, or start over with --restart")
        self.family.load_state_dict(saved["family"])
        self.averaged.family.load_state_dict(saved["averaged"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(saved["optimizers"][name])
        for name in _PLAIN:
            setattr(self, name, saved[name])

    def _state(self) -> dict[str, Any]:
        return {
            "family": self.family.state_dict(),
            "averaged": self.averaged.family.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            **{name: getattr(self, name) for name in _PLAIN},
        }

    def _refuse_what_is_not_finite(self) -> None:
        row, weights = self.history[-1], self.family.parameters()
        if not all(map(math.isfinite, row.values())) or not all(weight.isfinite().all() for weight in weights):
            kept = f"{self.kept} keeps epoch {self.epoch - 1}" if self.kept.exists() else "no epoch was kept"
            raise TrainingError(
                f"a loss or a weight is not finite in epoch {self.epoch}: {row}. {kept}. "
                "Try a smaller learning_rate or a gradient_clip, and --restart"
            )

    def _batches(self, train: Batch, steps: int) -> Iterator[Batch]:
        """The part of each batch that this process takes."""
        order = torch.randperm(len(train.x)).to(train.x.device)
        batch_size = min(self.settings.batch_size, len(train.x))
        part = batch_size // self.fabric.world_size
        progress = tqdm(range(steps), desc=self._progress(), leave=False, unit="batch", dynamic_ncols=True)
        for number in progress:
            start = number * batch_size + self.fabric.global_rank * part
            yield train.take(order[start : start + part])

    def _progress(self) -> str:
        last = " ".join(f"{name} {value:.2f}" for name, value in (self.history or [{}])[-1].items())
        return f"{self.recipe.name} epoch {self.epoch + 1}/{self.settings.epochs} {last}"

    def _set_learning_rate(self, step: int, steps: int) -> None:
        rise = min(1.0, (step + 1) / max(1, self.settings.warmup_steps))
        fall = 0.5 * (1 + math.cos(math.pi * step / steps))
        for group in self._parameter_groups():
            group["lr"] = group["initial_lr"] * rise * fall

    def _parameter_groups(self) -> Iterator[dict[str, Any]]:
        for optimizer in self.optimizers.values():
            yield from optimizer.param_groups
