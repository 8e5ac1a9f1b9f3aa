"""Mode collapse on the ring of eight normals: a GAN against a Wasserstein GAN over the training."""

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.repository import Repository
from training import build
from training.datasets.toys import MIXTURES
from training.evaluation.modes import judge_points
from training.recipe import Recipe, read
from training.report.plots import functions, multiples
from training.theory.claim import Claim, Experiment
from training.theory.toy_counts import claims_of, counts, told_of
from training.trainer import fit

_RING = MIXTURES["ring"]
_UNEVEN, _EVEN = 0.3, 0.1  # nats from equal shares of the modes; half of the modes alone would be log 2
_SMALL = {"widths": [128, 128], "activation": "leaky_relu"}
_BATCH = 64
_SHOWN = 100  # points in a picture
_GAN, _TURNS, _WGAN = "GAN", "GAN, 5 steps", "Wasserstein"
_PLAYERS = {  # the recipe, and what is changed of it
    _GAN: ("gan-ring", {"r1": 0.0, "critic_steps": 1}),
    _TURNS: ("gan-ring", {"r1": 0.0, "critic_steps": 5}),
    _WGAN: ("wgan-gp-ring", {"critic_steps": 5}),
}


def experiment(
    seeds: Sequence[int] = (0, 1), steps: int = 150, times: int = 8, repository: Repository | None = None
) -> Experiment:
    """Each trained live from each seed, seen at so many `times`, `steps` apart; and what ten seeds gave."""
    runs = {(name, seed): _run(name, seed, steps, times) for name in _PLAYERS for seed in seeds}
    claims = [claim for seed in seeds for claim in _of_the_seed(seed, {name: runs[name, seed] for name in _PLAYERS})]
    counted = counts(repository)
    taken = steps * np.arange(1, times + 1)
    columns = sorted({*range(0, times, 2), times - 1})
    figures = (
        multiples(
            {f"{name}, {seed}": [run.frames[time][:_SHOWN] for time in columns] for (name, seed), run in runs.items()},
            _RING.centers,
            [f"step {taken[time]}" for time in columns],
            name="mode-collapse",
        ),
        functions(
            {name: (taken, np.mean([runs[name, seed].reverse_kl for seed in seeds], axis=0)) for name in _PLAYERS},
            {},
            across="steps of the critic",
            up="reverse KL of the modes' shares, nats",
            name="mode-collapse-shares",
            logarithmic=True,
        ),
    )
    told = (
        "A discriminator that learns half as fast as the generator is outrun: the generator moves all samples to "
        "where it is believed now, and on when it is not any more, from mode to mode. The critic of a Wasserstein "
        "GAN may learn as well as it can, five steps to one, and its samples spread over the ring. But so do those "
        "of a GAN whose discriminator takes five steps: here it is the turns as much as the loss. The setting was "
        "chosen among several because it shows the collapse; a discriminator as fast as the generator found all modes. "
        f"{told_of(counted)}"
    )
    return Experiment("Mode collapse on the ring", told, (*claims, *claims_of(counted)), figures)


class _Run(NamedTuple):
    """What was to be seen of a training at each time: points, (times, rows, 2), and their figures."""

    frames: NDArray[np.float32]

    @property
    def reverse_kl(self) -> list[float]:
        return [_figures_of(points)[0] for points in self.frames]

    @property
    def modes(self) -> list[float]:
        return [_figures_of(points)[1] for points in self.frames]


def _figures_of(points: NDArray[np.float32]) -> tuple[float, float]:
    """Nats from equal shares of the modes, and how many of these are found."""
    figures = judge_points(points, _RING)
    return figures["reverse_kl"].value, figures["modes"].value


def _run(name: str, seed: int, steps: int, times: int) -> _Run:
    recipe = _recipe(name, seed, times)
    dataset = build.load(recipe)
    dataset = dataset._replace(train=dataset.train[: steps * _BATCH], validation=dataset.validation[:1])
    with TemporaryDirectory() as folder:
        fitted = fit(build.build(recipe, dataset), dataset, recipe, Path(folder) / "checkpoint.pt", "cpu")
    assert fitted.frames is not None
    return _Run(fitted.frames.numpy())


def _recipe(name: str, seed: int, times: int) -> Recipe:
    """A shipped recipe, made short: fewer steps of fewer rows, and networks of two layers."""
    shipped, changed = _PLAYERS[name]
    with resources.as_file(resources.files("training") / "recipes" / f"{shipped}.toml") as path:
        recipe = read(path)
    model = recipe.model | {"generator": _SMALL, "critic": _SMALL, "critic_pace": 0.5} | changed
    training = recipe.training.model_copy(update={"epochs": times, "batch_size": _BATCH})
    return recipe.model_copy(update={"seed": seed, "model": model, "training": training})


def _of_the_seed(seed: int, runs: dict[str, _Run]) -> list[Claim]:
    last = {name: run.reverse_kl[-1] for name, run in runs.items()}
    return [
        Claim(
            f"seed {seed}: at last the GAN's samples are {_UNEVEN} nats or more from equal shares of the modes",
            _UNEVEN,
            last[_GAN],
            relation=">",
        ),
        Claim(
            f"seed {seed}: those of the Wasserstein GAN are even: {_EVEN} nats at most",
            _EVEN,
            last[_WGAN],
            relation="<",
        ),
        Claim(
            f"seed {seed}: so many modes more the Wasserstein GAN finds at last",
            1,
            runs[_WGAN].modes[-1] - runs[_GAN].modes[-1],
            relation=">",
        ),
        Claim(
            f"seed {seed}: those of a GAN whose discriminator takes five steps to one are even too",
            _EVEN,
            last[_TURNS],
            relation="<",
        ),
    ]
