"""A linear VAE that is trained reaches the maximum likelihood, where the ELBO is log p(x)."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from sklearn.decomposition import PCA, FactorAnalysis
from torch import nn

from training.datasets.splits import Dataset
from training.families.vae import VAE
from training.family import Family
from training.report.plots import Line, lines
from training.theory.claim import Claim, Experiment
from training.theory.learning import learn
from training.theory.linear_gaussian import LINEAR, REAL, decoder_map, exact_terms, marginal

_LATENT, _DIMENSIONS = 2, 6
_NEAR = 0.01  # nats a row


class _Reached(NamedTuple):
    """Means over the rows in nats, as the loop told them an epoch and at the end; the trained VAE, in double."""

    told: list[float]
    log_prob: float
    elbo: float
    vae: VAE


def experiment(rows: int = 1000, epochs: int = 60) -> Experiment:
    """By `fit`, on correlated normal data, with one deviation for all dimensions and with one for each."""
    x = _data(rows)
    pca, factors = PCA(_LATENT).fit(x), FactorAnalysis(_LATENT, tol=1e-8, max_iter=5000).fit(x)
    shared, own = _learn(x, epochs, _share_the_deviation), _learn(x, epochs, lambda family: None)
    noise, column = decoder_map(shared.vae)[2], decoder_map(shared.vae)[0]
    angle = float((column[:, 0] @ column[:, 1]).abs() / column.norm(dim=0).prod())
    claims = (
        Claim(
            "log p(x) of the trained linear VAE, nats a row: PCA.score of scikit-learn",
            pca.score(x),
            shared.log_prob,
            tolerance=_NEAR,
        ),
        Claim(
            "Its ELBO has come to its log p(x): the mean gap, nats", 0, shared.log_prob - shared.elbo, tolerance=_NEAR
        ),
        Claim(
            "Its noise variance is the mean of the eigenvalues left out",
            pca.noise_variance_,
            float(noise.mean()),
            tolerance=0.02 * pca.noise_variance_,
        ),
        Claim("Its decoder's columns came to be orthogonal: cosine", 0, angle, tolerance=0.05),
        Claim(
            "With a deviation for each dimension: FactorAnalysis.score of scikit-learn",
            factors.score(x),
            own.log_prob,
            tolerance=_NEAR,
        ),
    )
    return Experiment(
        "A linear VAE learns probabilistic PCA",
        "A linear decoder with normal noise of one variance is probabilistic PCA, whose maximum likelihood is "
        "known from the eigenvalues of the data (Tipping and Bishop 1999). Trained by the ELBO alone the VAE comes "
        "to that very value: the bound has no optimum short of it (Lucas et al. 2019). With a variance for each "
        "dimension it is factor analysis.",
        claims,
        (_figure(shared.told, pca.score(x)),),
    )


def _data(rows: int) -> np.ndarray:
    """Three directions of unlike strengths, and noise: more than two dimensions of a code can hold."""
    random = np.random.default_rng(0)
    directions = random.normal(size=(3, _DIMENSIONS)) * np.array([[2.0], [1.0], [0.5]])
    return (random.normal(size=(rows, 3)) @ directions + 0.6 * random.normal(size=(rows, _DIMENSIONS)) + 1).astype(
        np.float32
    )


def _share_the_deviation(family: Family) -> None:
    """And leave the data in their own units, for probabilistic PCA depends on them."""
    family.standardize(torch.zeros(_DIMENSIONS), torch.ones(_DIMENSIONS))
    for part in family.modules():
        if hasattr(part, "log_scale"):
            part.log_scale = nn.Parameter(torch.zeros(1))


def _learn(x: np.ndarray, epochs: int, prepare: Callable[[Family], None]) -> _Reached:
    model = {"latent": _LATENT, "likelihood": "gaussian", "encoder": LINEAR, "decoder": LINEAR, "samples": 4}
    dataset = Dataset("correlated", REAL, x, x, x)
    vae, history = learn("vae", model, dataset, prepare, epochs=epochs, batch_size=100, learning_rate=0.05, ema=0.95)
    vae, rows = vae.double().requires_grad_(False), torch.from_numpy(x).double()
    return _Reached(
        [-row["loss"] for row in history],
        float(marginal(vae).log_prob(rows).mean()),
        float(exact_terms(vae, rows)["elbo"].mean()),
        vae,
    )


def _figure(told: list[float], maximum: float) -> str:
    epochs = range(1, len(told) + 1)
    shown = slice(len(told) // 10, None)
    return lines(
        {
            "ELBO in training": Line(epochs[shown], told[shown]),
            "maximum likelihood": Line(epochs[shown], [maximum] * len(epochs[shown]), style="dashes", color="ink"),
        },
        across="epoch",
        up="nats a row",
        name="linear-vae",
    )
