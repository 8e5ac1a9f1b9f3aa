"""How good and how various images are, by where their features lie among those of held-out images."""

import math
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.provenance import Figure
from training import views
from training.datasets.splits import Array, Dataset
from training.evaluation.classifier import classifier_of
from training.evaluation.figures import mean_figure
from training.evaluation.terms import SEED
from training.exported import Exported

SAMPLES = 10_000
COOL = 0.5

_NEIGHBOURS = 5
_FEW = 1000  # samples, in which every class should appear
_BLOCK = 1000
_TINY = 1e-6

Floats = NDArray[np.floating]


class Neighbourhoods(NamedTuple):
    """For each fake: whether it lies in a real one's neighbourhood, and in how many of k; for each real one: whether
    it lies in a fake's, and whether a fake lies in its own.
    """

    precision: Floats
    density: Floats
    recall: Floats
    coverage: Floats


def quality_figures(exported: Exported, dataset: Dataset) -> dict[str, Figure]:
    """The figures of `judge_images`, of 10,000 samples, and of as many at a temperature of COOL (`_cooled`).

    Codes nearer to 0 make better and less various samples (Brock et al. 2019, the truncation trick).
    """
    label = np.arange(SAMPLES) % dataset.classes if dataset.classes else None
    plain, cooled = (
        judge_images(views.sampled(exported, SAMPLES, label, SEED, temperature)["x"], dataset)
        for temperature in (1.0, COOL)
    )
    return plain | {f"{name}_cooled": figure for name, figure in cooled.items()}


def judge_images(drawn: Array, dataset: Dataset) -> dict[str, Figure]:
    """Images against the test split, by the features of the classifier that is pinned.

    Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020) with the five nearest
    neighbours; `fid_c`, the Fréchet distance (Heusel et al. 2017) on these features, comparable with no other; how many
    classes a thousand samples hold, and the KL in nats of the classes of all from those of the test split.
    """
    classifier, test = classifier_of(dataset), dataset.test[:SAMPLES]
    fake, real = classifier.features_of(drawn), classifier.features_of(test)
    told, known = (classifier.labels_of(images) for images in (drawn, test))
    shares = neighbourhoods(real, fake)
    return {
        **{name: mean_figure(getattr(shares, name), "", "samples") for name in ("precision", "density")},
        **{name: mean_figure(getattr(shares, name), "") for name in ("recall", "coverage")},
        "fid_c": _frechet_figure(real, fake),
        "classes": _number(len(np.unique(told[:_FEW])), f"classes in {_FEW:,} samples", _FEW),
        "class_kl": _number(_kl(told, known), "nats", len(told)),
    }


def neighbourhoods(real: Floats, fake: Floats, neighbours: int = _NEIGHBOURS) -> Neighbourhoods:
    """Of features (rows, n) each; a neighbourhood reaches to the nearest but k - 1 of one's own kind."""
    reals, fakes = (torch.from_numpy(features).float() for features in (real, fake))
    of_real, of_fake = (_radii(features, neighbours) for features in (reals, fakes))
    holds, nearest = torch.zeros(len(fakes)), torch.full((len(reals),), torch.inf)
    recalled = torch.zeros(len(reals), dtype=torch.bool)
    for rows in torch.arange(len(fakes)).split(_BLOCK):
        distance = torch.cdist(fakes[rows], reals)
        holds[rows] = (distance <= of_real).sum(1).float()
        recalled |= (distance <= of_fake[rows, None]).any(0)
        nearest = torch.minimum(nearest, distance.amin(0))
    return Neighbourhoods(
        precision=(holds > 0).double().numpy(),
        density=(holds / neighbours).double().numpy(),
        recall=recalled.double().numpy(),
        coverage=(nearest <= of_real).double().numpy(),
    )


def frechet_distance(one: Floats, other: Floats) -> float:
    """The squared 2-Wasserstein distance of the normal distributions with the means and covariances of two sets.

    |m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), whose last trace is the sum of the roots of the eigenvalues of
    C1^(1/2) C2 C1^(1/2).
    """
    return _frechet(one, other)[0]


def _frechet(one: Floats, other: Floats) -> tuple[float, Tensor]:
    """The distance, and how much more of each row of the other would add to it: (rows,), of mean 0.

    The derivative by C2 is I - T, where T = C1^(1/2) (C1^(1/2) C2 C1^(1/2))^(-1/2) C1^(1/2) carries the other's normal
    distribution to that of the one (Bhatia et al. 2019).
    """
    (mean, covariance), (their_mean, their_covariance) = map(_moments, (one, other))
    values, vectors = torch.linalg.eigh(covariance)
    root = vectors * values.clamp(min=0).sqrt() @ vectors.T
    values, vectors = torch.linalg.eigh(root @ their_covariance @ root)
    singular = values.clamp(min=0).sqrt()
    moved = mean - their_mean
    distance = moved.square().sum() + (covariance + their_covariance).trace() - 2 * singular.sum()
    half = vectors.T @ root
    inverse = torch.where(singular > _TINY * singular.max(), 1 / singular, 0)
    centered = torch.from_numpy(other).double() - their_mean
    carried = ((centered @ half.T).square() * inverse).sum(1)
    added = centered.square().sum(1) - carried - 2 * centered @ moved
    return float(distance), added - added.mean()


def _moments(rows: Floats) -> tuple[Tensor, Tensor]:
    doubles = torch.from_numpy(rows).double()
    return doubles.mean(0), doubles.T.cov()


def _radii(features: Tensor, neighbours: int) -> Tensor:
    """The distance of each row to the k-th nearest other, (rows,)."""
    blocks = [torch.cdist(rows, features).kthvalue(neighbours + 1).values for rows in features.split(_BLOCK)]
    return torch.cat(blocks)


def _frechet_figure(real: Floats, fake: Floats) -> Figure:
    """Its standard error is to first order in the samples."""
    distance, added = _frechet(real, fake)
    return Figure(
        value=distance,
        std_error=float(added.std() / math.sqrt(len(fake))),
        unit="squared feature units",
        split="samples",
        examples=len(fake),
    )


def _kl(told: NDArray[np.int64], known: NDArray[np.int64]) -> float:
    counts = [np.bincount(labels, minlength=1 + max(told.max(), known.max())) for labels in (told, known)]
    p, q = (count / count.sum() for count in counts)
    return float((p[p > 0] * np.log(p[p > 0] / q[p > 0])).sum())


def _number(value: float, unit: str, rows: int) -> Figure:
    return Figure(value=float(value), unit=unit, split="samples", examples=rows)
