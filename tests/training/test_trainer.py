"""The loop ends in the same weights whatever interrupts it, and keeps the best of them."""

import multiprocessing
import os
import signal
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from lightning_fabric.accelerators import CUDAAccelerator

from models.fields import Frozen
from tests.training.conftest import EXAMPLES, build, examples
from tests.training.test_events import rows as rows_of_events
from training.adversarial import Adversarial
from training.datasets.splits import Dataset, Labels
from training.errors import TrainingError
from training.families import FAMILIES
from training.family import Family
from training.recipe import Recipe
from training.trainer import fit

DROPPING = {"widths": [8], "dropout": 0.2}
OPTIONS = {
    "autoencoder": {"decoder": DROPPING},
    "autoregressive": {"network": DROPPING | {"orders": 2}},
    "gan": {"generator": DROPPING, "critic": DROPPING, "r1": 1.0, "r1_every": 2},
    "vae": {"decoder": DROPPING},
    "wgan": {"generator": DROPPING, "critic": DROPPING, "constraint": "spectral_norm", "critic_steps": 2},
}
DATA = Dataset("rows", EXAMPLES["bernoulli"], *(examples("bernoulli", rows=rows) for rows in (80, 20, 20)))


def recipe(family="vae", name="tiny", seed=0, **training):
    settings = {"epochs": 4, "batch_size": 16, "warmup_steps": 0, "threads": 1} | training
    content = {"name": name, "title": "A test", "family": family, "data": {"source": "rows"}, "training": settings}
    return Recipe.model_validate(content | {"seed": seed})


class Counter(Family):
    """One weight that grows by 1 a step; its validation losses are told beforehand, and its steps write down."""

    Options = Frozen
    absent = {}
    told: list[float]
    judged: list[tuple]

    def __init__(self):
        super().__init__(Frozen(), EXAMPLES["bernoulli"], (1,))
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.rates, self.batches = [], []

    def train_step(self, x, label, turn):
        self.rates.append(turn.optimizers["all"].param_groups[0]["lr"])
        self.batches.append((x.flatten().tolist(), label))
        assert self.training
        self.weight.data += 1
        return {"loss": self.weight.detach() * 1.0}

    def validation_loss(self, x, label):
        assert not self.training
        Counter.judged.append((x.flatten().tolist(), label))
        return torch.full((len(x),), float(self.told.pop(0)))

    def operations(self):
        return {}

    def shapes(self):
        return {}


class Unjudged(Counter):
    """A second weight grows as the first, and it alone is averaged and seen; nothing tells which epoch is best."""

    def __init__(self):
        super().__init__()
        self.part = torch.nn.ParameterDict({"weight": torch.zeros(())})
        self.register_buffer("steps", torch.zeros(()))

    def averaged_part(self):
        return self.part

    def train_step(self, x, label, turn):
        self.part["weight"].data += 1
        self.steps += 1
        return super().train_step(x, label, turn)

    def validation_loss(self, x, label):
        return None

    def frame(self):
        return self.part["weight"].detach().view(1, 1).clone()


def count(tmp_path, told=None, rows=1, labels=None, kind=Counter, **settings):
    """A family that counted, and what fit said; one epoch for each loss told."""
    settings = {"epochs": 4, "batch_size": 1, "ema": 0.0} | settings
    Counter.told, Counter.judged = list(told or range(settings["epochs"], 0, -1)), []
    family = kind().eval()
    numbers = np.arange(rows, dtype=np.float32)[:, None]
    data = Dataset("numbers", EXAMPLES["bernoulli"], numbers, numbers[:1], numbers[:1], labels)
    return family, fit(family, data, recipe(**settings), tmp_path / "checkpoint.pt", "cpu")


def test_best_epoch_is_kept(tmp_path):
    family, fitted = count(tmp_path, told=[3, 1, 2, 2])
    assert [row["validation"] for row in fitted.history] == [3, 1, 2, 2]
    assert family.weight == 2


@pytest.mark.parametrize(("patience", "epochs"), [(1, 3), (2, 6), (3, 7), (None, 7)])
def test_training_stops_when_patience_is_over(tmp_path, patience, epochs):
    _, fitted = count(tmp_path, told=[3, 2, 4, 1, 5, 5, 0.5], epochs=7, patience=patience)
    assert len(fitted.history) == epochs


def test_kept_weights_are_the_moving_average(tmp_path):
    family, _ = count(tmp_path, epochs=3, ema=0.125)
    assert family.weight == 0.125 * (0.125 * 1 + 0.875 * 2) + 0.875 * 3


def test_without_a_validation_loss_the_last_weights_are_kept(tmp_path):
    family, fitted = count(tmp_path, kind=Unjudged)
    assert (family.weight, family.part["weight"], family.steps) == (4, 4, 4)
    assert fitted.history == [{"loss": epoch} for epoch in (1, 2, 3, 4)]


def test_of_a_part_that_alone_is_averaged_all_else_is_as_it_was_last(tmp_path):
    family, _ = count(tmp_path, kind=Unjudged, epochs=3, ema=0.125)
    assert family.part["weight"] == 0.125 * (0.125 * 1 + 0.875 * 2) + 0.875 * 3
    assert (family.weight, family.steps) == (3, 3)


def test_patience_is_refused_where_there_is_no_validation_loss(tmp_path):
    with pytest.raises(TrainingError, match="patience watches a validation loss, and the family vae has none"):
        count(tmp_path, kind=Unjudged, patience=3)
    assert not (tmp_path / "checkpoint.pt").exists()


@pytest.mark.parametrize(
    ("epochs", "seen"),
    [
        (1, [1]),
        (3, [1, 2, 3]),
        (8, [1, 2, 3, 4, 5, 6, 7, 8]),
        (16, [2, 4, 6, 8, 10, 12, 14, 16]),
        (20, [3, 5, 8, 10, 13, 15, 18, 20]),
    ],
)
def test_frames_are_kept_when_another_eighth_of_the_epochs_is_over(tmp_path, epochs, seen):
    _, fitted = count(tmp_path, kind=Unjudged, epochs=epochs)
    assert fitted.frames.flatten().tolist() == seen


def test_frames_are_of_the_averaged_weights(tmp_path):
    _, fitted = count(tmp_path, kind=Unjudged, epochs=2, ema=0.125)
    assert fitted.frames.flatten().tolist() == [1, 0.125 * 1 + 0.875 * 2]


def test_a_family_with_nothing_to_see_has_no_frames(tmp_path):
    assert count(tmp_path)[1].frames is None


def test_average_of_a_short_run_is_close_to_its_last_weights(tmp_path):
    family, _ = count(tmp_path, rows=40, epochs=1, ema=0.999)
    first, last = 1, 40
    assert last - family.weight < (family.weight - first) / 5
    assert family.weight < last


def test_learning_rate_rises_and_falls_by_a_cosine(tmp_path):
    family, _ = count(tmp_path, rows=2, epochs=2, warmup_steps=2, learning_rate=0.1)
    fall = [1, 0.5 + 0.5**1.5, 0.5, 0.5 - 0.5**1.5]
    assert family.rates == pytest.approx([0.05 * fall[0], 0.1 * fall[1], 0.1 * fall[2], 0.1 * fall[3]])


def test_every_epoch_sees_every_row_in_an_order_of_its_own(tmp_path):
    family, _ = count(tmp_path, rows=50, epochs=2, batch_size=10)
    seen = [x for x, label in family.batches if label is None]
    first, second = (list(chain(*seen[start : start + 5])) for start in (0, 5))
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != second


def test_labels_travel_with_their_rows(tmp_path):
    of_row = np.arange(50) * 7 % 10
    names = Labels(tuple("0123456789"), of_row, np.array([3]), np.array([4]))
    family, _ = count(tmp_path, rows=50, epochs=2, batch_size=10, labels=names)
    assert len(family.batches) == 10
    for x, label in family.batches:
        assert label.tolist() == of_row[np.int64(x)].tolist()
    assert [(x, label.tolist()) for x, label in Counter.judged] == [([0.0], [3])] * 2


def test_every_epoch_is_written_as_events_beside_the_checkpoint(tmp_path):
    count(tmp_path, told=[3, 1], epochs=2)
    assert rows_of_events(tmp_path / "events") == [
        *((1, "loss", 1.0), (1, "validation", 3.0)),
        *((2, "loss", 2.0), (2, "validation", 1.0)),
    ]


def _trained(checkpoint, family="vae", data=DATA, device="cpu", **settings):
    module = build(family, "bernoulli", **OPTIONS[family])
    fitted = fit(module, data, recipe(family, **settings), checkpoint, device)
    return {name: value.numpy().tobytes() for name, value in module.state_dict().items()}, fitted


def _train_until_killed(family, checkpoint, step):
    """What a process does that is killed with a step half done."""
    learn = FAMILIES[family].train_step

    def die(self, x, label, turn):
        if turn.step == step:
            os.kill(os.getpid(), signal.SIGKILL)
        return learn(self, x, label, turn)

    FAMILIES[family].train_step = die
    _trained(checkpoint, family)


@pytest.mark.parametrize("family", FAMILIES)
def test_killed_run_ends_in_the_weights_of_an_undisturbed_one(tmp_path, family):
    killed = tmp_path / "killed.pt"
    process = multiprocessing.get_context("spawn").Process(target=_train_until_killed, args=(family, killed, 12))
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    assert len(torch.load(killed)["history"]) == 2
    weights, fitted = _trained(killed, family)
    undisturbed, expected = _trained(tmp_path / "undisturbed.pt", family)
    assert weights == undisturbed
    assert fitted.history == expected.history
    assert seen(fitted) == seen(expected)
    assert (len(seen(fitted)) == 4) == issubclass(FAMILIES[family], Adversarial)


def seen(fitted):
    return [] if fitted.frames is None else fitted.frames.tolist()


def test_finished_checkpoint_gives_its_weights_again(tmp_path):
    first, _ = _trained(tmp_path / "checkpoint.pt")
    assert _trained(tmp_path / "checkpoint.pt")[0] == first


def test_finished_checkpoint_gives_its_frames_again(tmp_path):
    first, again = (count(tmp_path, kind=Unjudged)[1].frames for _ in range(2))
    assert again.tolist() == first.tolist() == [[[1]], [[2]], [[3]], [[4]]]


def test_finished_checkpoint_keeps_its_events(tmp_path):
    for _ in range(2):
        count(tmp_path, told=[3, 1], epochs=2)
    assert [epoch for epoch, *_ in rows_of_events(tmp_path / "events")] == [1, 1, 2, 2]


def test_another_seed_gives_other_weights(tmp_path):
    assert _trained(tmp_path / "a.pt")[0] != _trained(tmp_path / "b.pt", seed=1)[0]


def test_checkpoint_of_another_recipe_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    _trained(checkpoint, epochs=1)
    with pytest.raises(TrainingError, match=r"is of another recipe; .* start over with --restart"):
        _trained(checkpoint, epochs=1, learning_rate=0.5)


def test_checkpoint_outlives_a_change_of_words(tmp_path):
    first, _ = _trained(tmp_path / "checkpoint.pt", epochs=1)
    assert _trained(tmp_path / "checkpoint.pt", epochs=1, name="renamed")[0] == first


def test_checkpoint_of_other_data_is_refused(tmp_path):
    checkpoint = tmp_path / "checkpoint.pt"
    _trained(checkpoint, epochs=1)
    with pytest.raises(TrainingError, match=r"is of another data; .* start over with --restart"):
        _trained(checkpoint, epochs=1, data=DATA._replace(train=1 - DATA.train))


def test_device_that_is_not_there_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(CUDAAccelerator, "is_available", staticmethod(lambda: False))
    with pytest.raises(TrainingError, match="the device cuda is not there; use auto or cpu"):
        _trained(tmp_path / "checkpoint.pt", device="cuda")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("kind", "told"), [("loss", [3, 2, 1]), ("validation", [3, 2, float("nan")])])
def test_loss_that_is_not_finite_ends_the_run_and_leaves_the_last_good_checkpoint(tmp_path, monkeypatch, kind, told):
    if kind == "loss":
        count_on = Counter.train_step
        monkeypatch.setattr(
            Counter,
            "train_step",
            lambda self, x, label, turn: (
                count_on(self, x, label, turn) | ({"loss": torch.tensor(np.nan)} if turn.step == 2 else {})
            ),
        )
    complaint = r"not finite in epoch 3: .*nan.*checkpoint\.pt keeps epoch 2\. Try a smaller learning_rate"
    with pytest.raises(TrainingError, match=complaint):
        count(tmp_path, told=told, epochs=3)
    kept = torch.load(tmp_path / "checkpoint.pt")
    assert [row["validation"] for row in kept["history"]] == [3, 2]
    assert kept["family"]["weight"] == 2


def test_weight_that_is_not_finite_is_not_kept_where_no_loss_tells(tmp_path, monkeypatch):
    """It overflows in the last step of an epoch, after the loss."""

    def overflow(self, x, label, turn):
        self.weight.data += float("inf") if turn.step == 0 else 1
        return {"loss": torch.zeros(())}

    monkeypatch.setattr(Unjudged, "train_step", overflow)
    with pytest.raises(TrainingError, match=r"not finite in epoch 1: .* no epoch was kept\. Try a smaller"):
        count(tmp_path, kind=Unjudged)
    assert not (tmp_path / "checkpoint.pt").exists()


def test_kill_while_a_checkpoint_is_written_leaves_the_one_before(tmp_path, monkeypatch):
    replace = Path.replace

    def die(path, target):
        if len(torch.load(path)["history"]) == 3:
            raise KeyboardInterrupt
        return replace(path, target)

    monkeypatch.setattr(Path, "replace", die)
    with pytest.raises(KeyboardInterrupt):
        count(tmp_path)
    assert len(torch.load(tmp_path / "checkpoint.pt")["history"]) == 2
