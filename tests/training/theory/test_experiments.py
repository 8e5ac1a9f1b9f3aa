"""Every claim holds at a small size too, and each experiment finds the errors that are planted in what it measures."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch

from models import bounds
from tests.training.theory.small import SMALL, failing, measure
from training import ancestral
from training.distributions import gaussian_kl, reparameterize, standard_normal_log_prob
from training.families import autoregressive, vae
from training.families.autoencoder import Autoencoder
from training.families.autoregressive import Autoregressive
from training.likelihoods import Bernoulli, Gaussian
from training.networks.masked import MADE
from training.objectives import OBJECTIVES, Draw, Objective
from training.theory import gaussian_kl as of_the_kl
from training.theory import gradients, reparameterization


class Planted(NamedTuple):
    """An error in the project's code, and parts of the statements that must then not hold.

    `size` is smaller still where these hold, without the error, after no training to speak of.
    """

    error: str
    experiment: str
    plant: Callable[[pytest.MonkeyPatch], None]
    fails: tuple[str, ...]
    size: dict = {}


def in_place_of(owner, name, wrong):
    return lambda patch: patch.setattr(owner, name, wrong)


def kl_of(wrong):
    """In what a VAE is trained and scored by."""
    return in_place_of(vae, "gaussian_kl", wrong)


def objective_of(bound):
    wrong = Objective(bound, lambda draw, beta, free_bits: -bound(draw, beta).mean())
    return lambda patch: patch.setitem(OBJECTIVES, "elbo", wrong)


def by_mean_of_logits(module, x):
    flat = x.flatten(1)
    return {"log_weight": module.likelihood.log_prob(flat, module.network(flat).mean(1)).unsqueeze(1)}


def mean_of_logs(log_weight):
    return bounds.Estimate(log_weight.mean(axis=1), log_weight.std(axis=1))


def without_log_k(log_weight):
    return bounds.Estimate(np.logaddexp.reduce(log_weight, axis=1), log_weight.std(axis=1))


def density_without_volume(z, mean, log_variance):
    return standard_normal_log_prob((z - mean) * (-0.5 * log_variance).exp())


def gaussian_without_volume(module, x, parameters):
    return standard_normal_log_prob((x - module.mean(parameters)) * (-module._log_scale()).exp())


def one_round(draw, parts, start, memory):
    return draw(start, torch.zeros(len(start), dtype=torch.int64), memory)[0]


def by_variance(mean, log_variance, epsilon):
    return mean + log_variance.exp() * epsilon


honest_loss, honest_forward, honest_score = Autoencoder.validation_loss, MADE.forward, Autoregressive.score

PLANTED = [
    Planted(
        "codes are pulled to 0",
        "autoencoder-objective",
        in_place_of(
            Autoencoder,
            "validation_loss",
            lambda module, x, label: honest_loss(module, x, label) + module.encoder(x).square().sum(1),
        ),
        ("cross-entropy of x", "half the squared error", "its loss changes by"),
        {"epochs": 1},
    ),
    Planted(
        "a KL that forgets the mean",
        "autoencoder-objective",
        kl_of(lambda mean, log_variance: gaussian_kl(0 * mean, log_variance)),
        ("its bound falls by what its KL rises",),
        {"epochs": 1},
    ),
    Planted(
        "the KL term is dropped",
        "prior-samples",
        kl_of(lambda mean, log_variance: 0 * mean),
        ("Through the VAE", "the VAE's are above"),
    ),
    Planted(
        "a KL without its logarithm",
        "dropped-kl",
        kl_of(lambda mean, log_variance: 0.5 * (mean.square() + log_variance.exp() - 1)),
        ("The KL rises without bound",),
        {"epochs": 1},
    ),
    Planted(
        "beta is forgotten",
        "dropped-kl",
        objective_of(lambda draw, beta: (draw.reconstruction - draw.kl).mean(1)),
        ("As β falls the posterior sd does", "like the root of β", "its mean posterior sd", "Its KL is above"),
    ),
    Planted(
        "a KL of twice the size",
        "bound-decomposition",
        kl_of(lambda mean, log_variance: 2 * gaussian_kl(mean, log_variance)),
        ("log p(x) = ELBO + KL", "Where q is the posterior", "for all x: the least", "for all x: the most"),
    ),
    Planted(
        "a normal density without its volume",
        "bound-decomposition",
        in_place_of(Gaussian, "log_prob", gaussian_without_volume),
        ("log p(x) = ELBO + KL",),
    ),
    Planted(
        "a sampled KL in place of log p(x, z) - log q(z | x)",
        "bound-decomposition",
        in_place_of(Draw, "log_weight", property(lambda draw: draw.reconstruction - draw.kl)),
        ("whatever the noise",),
    ),
    Planted(
        "beta weighs the reconstruction",
        "bound-terms",
        objective_of(lambda draw, beta: (beta * draw.reconstruction - draw.kl).mean(1)),
        ("least-squares projection", "As β rises the KL falls", "At each β q is", "At β = 3"),
    ),
    Planted(
        "beta counts twice",
        "bound-terms",
        objective_of(lambda draw, beta: (draw.reconstruction - beta**2 * draw.kl).mean(1)),
        ("At each β q is", "At β = 3"),
    ),
    Planted(
        "a KL from another normal than the prior",
        "bound-terms",
        kl_of(lambda mean, log_variance: gaussian_kl(mean - 1, log_variance)),
        ("The KL term alone", "At each β q is"),
    ),
    Planted(
        "a KL without its half",
        "gaussian-kl",
        in_place_of(of_the_kl, "gaussian_kl", lambda mean, log_variance: 2 * gaussian_kl(mean, log_variance)),
        ("numerical integration", "μ = 0, σ = 0.5", "the KL of the joint"),
    ),
    Planted(
        "a KL with a swapped sign",
        "gaussian-kl",
        in_place_of(of_the_kl, "gaussian_kl", lambda mean, log_variance: -gaussian_kl(mean, log_variance)),
        ("numerical integration", "It is above 0 elsewhere"),
    ),
    Planted(
        "a KL that is off by a constant",
        "gaussian-kl",
        in_place_of(of_the_kl, "gaussian_kl", lambda mean, log_variance: gaussian_kl(mean, log_variance) + 0.1),
        ("It is 0 where q is the prior",),
    ),
    Planted(
        "the variance in the deviation's place",
        "reparameterization",
        in_place_of(reparameterization, "reparameterize", by_variance),
        ("The variance of z", "The distribution of z"),
    ),
    Planted(
        "a draw whose mean is off",
        "reparameterization",
        in_place_of(
            reparameterization,
            "reparameterize",
            lambda mean, log_variance, epsilon: reparameterize(1.05 * mean, log_variance, epsilon),
        ),
        ("The mean of z", "dz/dμ", "Without noise"),
    ),
    Planted(
        "log q without its volume, so that the score function is biased",
        "gradient-estimators",
        in_place_of(gradients, "normal_log_prob", density_without_volume),
        ("by log σ², by the score function", "gradient by log σ²: the two differ"),
    ),
    Planted(
        "a draw with half the noise, so that the gradient through it is biased",
        "gradient-estimators",
        in_place_of(
            gradients, "reparameterize", lambda mean, log_variance, epsilon: mean + log_variance.exp() * epsilon / 2
        ),
        ("by log σ², through the draw", "so many times larger"),
    ),
    Planted(
        "log q added in place of subtracted",
        "bound-estimators",
        in_place_of(
            Draw, "log_weight", property(lambda draw: draw.reconstruction + draw.log_prior + draw.log_posterior)
        ),
        ("too sharp: mean of E_q", "mean difference", "variance of E_q", "the two are one"),
    ),
    Planted(
        "a KL of half the size",
        "bound-estimators",
        kl_of(lambda mean, log_variance: gaussian_kl(mean, log_variance) / 2),
        ("mean difference",),
    ),
    Planted(
        "a mean of logs in place of a log of means",
        "importance-weighted-bound",
        in_place_of(bounds, "importance_weighted_bound", mean_of_logs),
        ("It rises: K = 1000 over K = 100", "has come to log p(x)", "what the service answers"),
    ),
    Planted(
        "a sum of weights in place of a mean",
        "importance-weighted-bound",
        in_place_of(bounds, "importance_weighted_bound", without_log_k),
        ("It stays below log p(x)", "has come to log p(x)"),
    ),
    Planted(
        "a biased weight",
        "importance-weighted-bound",
        in_place_of(Draw, "log_weight", property(lambda draw: draw.reconstruction - draw.log_posterior)),
        ("With K = 1 it is the ELBO", "an unbiased estimate"),
    ),
    Planted(
        "a KL of twice the size",
        "linear-vae",
        kl_of(lambda mean, log_variance: 2 * gaussian_kl(mean, log_variance)),
        ("PCA.score", "Its ELBO has come", "FactorAnalysis.score"),
    ),
    Planted(
        "a score by the mean of the orders' logits",
        "chain-rule",
        in_place_of(Autoregressive, "score", by_mean_of_logits),
        ("sum to 1: a mixture of three orders",),
    ),
    Planted(
        "a network in which a pixel sees itself",
        "chain-rule",
        in_place_of(MADE, "forward", lambda network, x: honest_forward(network, x) + x.unsqueeze(1)),
        ("sum to 1: a masked network", "Each factor is the conditional", "knows nothing of later pixels"),
    ),
    Planted(
        "a mean of logs in place of a log of means",
        "exact-likelihood",
        in_place_of(bounds, "importance_weighted_bound", mean_of_logs),
        ("at least three quarters",),
        {"epochs": 3},
    ),
    Planted(
        "a score of half the size",
        "exact-likelihood",
        in_place_of(
            Autoregressive, "score", lambda module, x: {"log_weight": honest_score(module, x)["log_weight"] / 2}
        ),
        ("the autoregressive model's", "less than their entropy, nats: the autoregressive one"),
        {"epochs": 1},
    ),
    Planted(
        "one round only",
        "fixed-point-sampling",
        in_place_of(ancestral, "sample", one_round),
        ("Pixels that differ", "exact frequencies"),
    ),
    Planted(
        "a draw with too much noise",
        "fixed-point-sampling",
        in_place_of(Bernoulli, "draw", lambda module, parameters, noise: (parameters + 2 * noise > 0).to(noise.dtype)),
        ("exact frequencies",),
    ),
]


@pytest.mark.parametrize("name", SMALL)
def test_every_claim_holds(name):
    experiment = measure(name)
    assert failing(experiment) == []
    assert len(experiment.claims) > 2
    assert all(figure.startswith("<svg") for figure in experiment.figures)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.experiment}: {planted.error}")
def test_a_planted_error_is_found(planted, monkeypatch):
    planted.plant(monkeypatch)
    failed = failing(measure(planted.experiment, **planted.size))
    assert [part for part in planted.fails if not any(part in statement for statement in failed)] == []


@pytest.mark.parametrize("planted", [planted for planted in PLANTED if planted.size], ids=lambda planted: planted.error)
def test_without_the_error_it_holds_at_the_smaller_size_too(planted):
    failed = failing(measure(planted.experiment, **planted.size))
    assert [part for part in planted.fails if any(part in statement for statement in failed)] == []


def test_each_experiment_has_a_planted_error():
    assert {planted.experiment for planted in PLANTED} == set(SMALL)
    assert autoregressive.ancestral is ancestral  # what is planted there is what the family calls
