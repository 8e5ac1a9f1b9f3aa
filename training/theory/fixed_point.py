"""Sampling by a fixed point gives what pixel by pixel gives, in far fewer rounds."""

from math import prod
from typing import Any

import numpy as np
import torch
from scipy.stats import chi2
from sklearn.datasets import load_digits
from torch import Tensor

from models import noise
from training.datasets.splits import Dataset, share_out
from training.families.autoregressive import Autoregressive
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.chain_rule import BINARY, every_image, log_probability
from training.theory.claim import Claim, Experiment
from training.theory.learning import learn

_MASKED = {"widths": [128], "activation": "relu"}
_CHANCE = 1e-4  # of a chi^2 as great as the one allowed, were the frequencies right


def experiment(draws: int = 100, epochs: int = 40, counted: int = 20_000) -> Experiment:
    """On digits in black and white of 64 pixels, learned in seconds; frequencies on images of nine pixels."""
    model = _learn_digits(epochs)
    pixel = _noise(model, draws)
    expected = _pixel_by_pixel(model, pixel)
    together = _by_fixed_point(model, pixel)
    rounds, settled, prefix = _rounds(model, pixel, expected)
    dimensions = prod(model.shape)
    frequencies, allowed = _frequencies(counted)
    claims = (
        Claim(
            f"Pixels that differ from going pixel by pixel, of {draws} x {dimensions}",
            0,
            float((together != expected).sum()),
        ),
        Claim(
            "Pixels that would differ after one round only: above 0",
            0.5,
            float((settled[:, 0] < dimensions).sum()),
            relation=">",
        ),
        Claim("After r rounds the first r pixels are right: rounds in which they are not", 0, float(prefix)),
        Claim(
            f"Rounds for a draw, in the mean: less than a quarter of the {dimensions} of pixel by pixel",
            dimensions / 4,
            statistics.mean(rounds).value,
            relation="<",
        ),
        Claim(
            "Rounds for a draw, the most: no more than there are pixels, and one to see that nothing changes",
            dimensions + 1,
            max(rounds),
            relation="<",
        ),
        Claim(
            f"{counted:,} draws of nine pixels have the model's exact frequencies: χ²",
            allowed,
            frequencies,
            relation="<",
        ),
    )
    return Experiment(
        "Sampling by a fixed point",
        "With its noise given, each pixel is a function of those before it, so an image is the one fixed point of "
        "drawing all pixels from the image at hand. Repeating that from an empty image gives the very sample of "
        f"going pixel by pixel, here in {np.mean(rounds):.1f} rounds for {dimensions} pixels: one more pixel is "
        "right after each round for certain, and mostly many.",
        claims,
        (_figure(settled, dimensions),),
    )


def _learn_digits(epochs: int) -> Autoregressive:
    images = (load_digits().images > 7).astype(np.uint8)
    dataset = Dataset("digits-in-black", BINARY, *share_out(images, 250, 250))
    model = {"likelihood": "bernoulli", "network": _MASKED}
    return learn("autoregressive", model, dataset, epochs=epochs, learning_rate=1e-2, ema=0.9).family.requires_grad_(
        False
    )


def _noise(model: Autoregressive, draws: int) -> Tensor:
    """As the service draws it for seed 0."""
    return torch.from_numpy(noise.draw("logistic", "pixel", model.shapes()["pixel"], seed=0, rows=draws))


def _pixel_by_pixel(model: Autoregressive, pixel: Tensor) -> Tensor:
    """Each pixel drawn in turn, by logits that are computed anew."""
    x = torch.zeros(len(pixel), prod(model.shape), dtype=pixel.dtype)
    for place in range(x.shape[1]):
        x[:, place] = model.likelihood.draw(model.network(x)[:, 0], pixel.flatten(1))[:, place]
    return x


def _by_fixed_point(model: Autoregressive, pixel: Tensor) -> Tensor:
    """What the graph of `sample` computes."""
    nothing = torch.zeros_like(pixel)
    return model.complete(nothing, nothing, pixel)["x"].flatten(1)


def _rounds(model: Autoregressive, pixel: Tensor, expected: Tensor) -> tuple[list[int], np.ndarray, int]:
    """Of each draw alone: its rounds; how many pixels are right after each, (draws, D + 1); prefixes that are wrong."""
    dimensions, wrong, rounds = expected.shape[1], 0, []
    settled = np.full((len(pixel), dimensions + 1), dimensions)
    for row in range(len(pixel)):
        seen = _watched(model, pixel[row : row + 1])
        rounds.append(len(seen))
        for number, x in enumerate([*seen[1:], expected[row]], start=1):
            settled[row, number - 1] = int((x == expected[row]).sum())
            wrong += int((x[:number] != expected[row, :number]).any())
    return rounds, settled, wrong


def _watched(model: Autoregressive, pixel: Tensor) -> list[Tensor]:
    """The images that the network is given, one a round, in a draw of one."""
    seen: list[Tensor] = []

    def watch(network: Any, given: tuple[Tensor, ...]) -> None:
        seen.append(given[0][0].clone())

    handle = model.network.first.register_forward_pre_hook(watch)
    _by_fixed_point(model, pixel)
    handle.remove()
    return [x.flatten() for x in seen]


def _frequencies(draws: int) -> tuple[float, float]:
    """chi^2 of the counts of all images that are expected five times or more, all others one; and what is allowed."""
    torch.manual_seed(0)
    options = Autoregressive.Options.model_validate({"likelihood": "bernoulli", "network": _MASKED})
    model = Autoregressive(options, BINARY, (3, 3)).requires_grad_(False)
    for parameter in model.network.parameters():
        parameter.data *= 3
    expected = draws * log_probability(model.double(), every_image((3, 3))).exp().numpy()
    drawn = _by_fixed_point(model.float(), _noise(model, draws)).long().numpy()
    counts = np.bincount(drawn @ (1 << np.arange(8, -1, -1)), minlength=len(expected))
    often = expected >= 5
    cells = [(counts[often], expected[often]), (counts[~often].sum(keepdims=True), expected[~often].sum(keepdims=True))]
    statistic = sum(float(((count - mean) ** 2 / mean).sum()) for count, mean in cells)
    return statistic, float(chi2.isf(_CHANCE, int(often.sum())))


def _figure(settled: np.ndarray, dimensions: int) -> str:
    shown = range(1, int((settled < dimensions).any(0).sum()) + 2)
    rounds = slice(0, len(shown))
    return lines(
        {
            "mean of the draws": Line(shown, settled[:, rounds].mean(0)),
            "slowest draw": Line(shown, settled[:, rounds].min(0), color="second"),
            "pixel by pixel": Line(shown, np.array(shown, float), style="dashes", color="ink"),
        },
        across="rounds",
        up=f"pixels that are final, of {dimensions}",
        name="fixed-point",
    )
