"""The one training loop, on Lightning Fabric: resumable to the bit, with averaged weights and early stopping."""

import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from training.errors import TrainingError
from training.family import Family, Turn
from training.recipe import Recipe, Training
from training.splits import Dataset

_VALIDATION_ROWS = 1000


class Fitted(NamedTuple):
    """The averaged weights of the best epoch are in the family; `history` has a row an epoch."""

    history: list[dict[str, float]]
    minutes: float


def fit(family: Family, dataset: Dataset, recipe: Recipe, checkpoint: Path, device: str = "auto") -> Fitted:
    """Train until the epochs are over or validation stops improving; go on from `checkpoint` if it exists.

    Everything an epoch draws follows from (seed, epoch), so a run that was killed ends in the same weights, bit for
    bit, as one that was not: on the same machine, versions and threads. TrainingError if a loss is not finite.
    """
    torch.set_num_threads(recipe.training.threads)
    try:
        fabric = Fabric(accelerator=device, devices=1, precision=recipe.training.precision)
    except RuntimeError as error:
        raise TrainingError(f"the device {device} is not there; use auto or cpu") from error
    run = _Run(fabric, family, recipe, dataset.digest)
    run.resume(checkpoint)
    train, validation = (fabric.to_device(torch.from_numpy(split)) for split in (dataset.train, dataset.validation))
    while not run.finished:
        started = time.monotonic()
        run.learn(train)
        run.judge(validation)
        run.minutes += (time.monotonic() - started) / 60
        run.save(checkpoint)
    family.load_state_dict(run.best_weights)
    family.to("cpu").eval()
    return Fitted(run.history, run.minutes)


class _Run:
    """What a training remembers from one epoch to the next."""

    def __init__(self, fabric: Fabric, family: Family, recipe: Recipe, digest: str) -> None:
        self.fabric = fabric
        self.recipe = recipe
        self._subject = {"recipe": recipe.model_dump_json(), "data": digest}
        self.settings: Training = recipe.training
        self.family = fabric.to_device(family)
        optimizers = family.optimizers(self.settings.learning_rate, self.settings.weight_decay)
        self.optimizers: dict[str, Any] = {name: fabric.setup_optimizers(o) for name, o in optimizers.items()}
        for group in self._parameter_groups():
            group["initial_lr"] = group["lr"]
        self.averaged = AveragedModel(family, multi_avg_fn=_moving_average(self.settings.ema), use_buffers=True)
        self.best_weights: dict[str, Tensor] = {}
        self.history: list[dict[str, float]] = []
        self.minutes = 0.0

    @property
    def epoch(self) -> int:
        return len(self.history)

    @property
    def best_epoch(self) -> int:
        return min(range(self.epoch), key=lambda epoch: self.history[epoch]["validation"])

    @property
    def finished(self) -> bool:
        patience = self.settings.patience
        out_of_patience = patience is not None and self.epoch and self.epoch - 1 - self.best_epoch >= patience
        return self.epoch >= self.settings.epochs or bool(out_of_patience)

    def learn(self, train: Tensor) -> None:
        """One epoch over the training split, in an order of its own."""
        torch.manual_seed(self.recipe.seed * 1_000_003 + self.epoch)
        self.family.train()
        steps = len(train) // self.settings.batch_size or 1
        sums: dict[str, Tensor] = {}
        for number, batch in enumerate(self._batches(train, steps)):
            step = self.epoch * steps + number
            self._set_learning_rate(step, self.settings.epochs * steps)
            turn = Turn(step, self.fabric, self.optimizers, self.settings.gradient_clip)
            with self.fabric.autocast():
                losses = self.family.train_step(batch, turn)
            self.averaged.update_parameters(self.family)
            for name, value in losses.items():
                sums[name] = sums.get(name, torch.zeros_like(value)) + value.detach()
        self.history.append({name: float(total) / steps for name, total in sums.items()})
        self._refuse_what_is_not_finite()

    def judge(self, validation: Tensor) -> None:
        """The validation loss of the averaged weights; they are kept if none were better."""
        torch.manual_seed(self.recipe.seed)
        averaged: Any = self.averaged.module.eval()
        with torch.no_grad(), self.fabric.autocast():
            losses = [averaged.validation_loss(rows.float()) for rows in validation.split(_VALIDATION_ROWS)]
        self.history[-1]["validation"] = float(torch.cat(losses).mean())
        self._refuse_what_is_not_finite()
        if self.best_epoch == self.epoch - 1:
            self.best_weights = {name: value.clone() for name, value in averaged.state_dict().items()}

    def save(self, checkpoint: Path) -> None:
        """Replace the checkpoint in one step, so that a kill leaves the old one or the new one."""
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        incoming = checkpoint.with_suffix(".incoming")
        self.fabric.save(incoming, {**self._subject, **self._state()})
        incoming.replace(checkpoint)

    def resume(self, checkpoint: Path) -> None:
        if not checkpoint.exists():
            return
        saved = torch.load(checkpoint, map_location=self.fabric.device, weights_only=True)
        for what in ("recipe", "data"):
            if saved[what] != self._subject[what]:
                raise TrainingError(f"{checkpoint} is of another {what}; go back to that, or start over with --restart")
        self.family.load_state_dict(saved["family"])
        self.averaged.load_state_dict(saved["averaged"])
        for name, optimizer in self.optimizers.items():
            optimizer.load_state_dict(saved["optimizers"][name])
        self.best_weights, self.history, self.minutes = saved["best_weights"], saved["history"], saved["minutes"]

    def _state(self) -> dict[str, Any]:
        return {
            "family": self.family.state_dict(),
            "averaged": self.averaged.state_dict(),
            "optimizers": {name: optimizer.state_dict() for name, optimizer in self.optimizers.items()},
            "best_weights": self.best_weights,
            "history": self.history,
            "minutes": self.minutes,
        }

    def _refuse_what_is_not_finite(self) -> None:
        row = self.history[-1]
        if not all(map(math.isfinite, row.values())):
            raise TrainingError(
                f"a loss is not finite in epoch {self.epoch}: {row}. Try a smaller learning_rate or a gradient_clip, "
                "and --restart; a checkpoint of the epoch before, if there was one, is untouched."
            )

    def _batches(self, train: Tensor, steps: int) -> Iterator[Tensor]:
        order = torch.randperm(len(train)).to(train.device)
        progress = tqdm(range(steps), desc=self._headline(), leave=False, unit="batch", dynamic_ncols=True)
        for number in progress:
            batch = order[number * self.settings.batch_size : (number + 1) * self.settings.batch_size]
            yield train[batch].float()

    def _headline(self) -> str:
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


def _moving_average(decay: float) -> Callable[[Any, Any, Tensor], None]:
    """The exponential average of the weights, which forgets its first steps faster: a short run has few others."""

    def update(averaged: Any, current: Any, count: Tensor) -> None:
        steps = int(count)
        get_ema_multi_avg_fn(min(decay, (1 + steps) / (10 + steps)))(averaged, current, count)

    return update
