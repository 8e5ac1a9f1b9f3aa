"""Each statement of GANs and Wasserstein GANs fails where an error is planted that it is about."""

from collections.abc import Callable
from typing import NamedTuple

import ot
import pytest
import torch
from torch.nn.functional import softplus

from tests.training.theory.test_adversaries import SIZES, made, run
from training.families.gan import GAN
from training.families.wgan import WGAN
from training.family import Turn
from training.theory import divergences, parallel_lines


class Planted(NamedTuple):
    """An error in place of `target`, and words of the claims that must fail then."""

    error: str
    experiment: str
    target: str
    wrong: Callable
    fails: tuple[str, ...]
    sizes: dict = {}


GAN_LOSS = "training.families.gan.GAN.critic_loss"
GAN_GENERATOR = "training.families.gan.GAN.generator_loss"
WGAN_GENERATOR = "training.families.wgan.WGAN.generator_loss"
PENALTY = "training.families.wgan.WGAN.penalty"
CONSTRAIN = "training.families.wgan.WGAN.constrain"
gan_loss, wgan_loss, gan_generator = GAN.critic_loss, WGAN.critic_loss, GAN.generator_loss
_line_divergence, _jensen_shannon = parallel_lines._divergence, divergences.jensen_shannon


def swapped_sign(gan, real, fake, condition, turn):
    loss = softplus(gan.value(real, condition)).mean() + softplus(-gan.value(fake, condition)).mean()
    return loss, gan_loss(gan, real, fake, condition, turn)[1]


def data_alone(gan, real, fake, condition, turn):
    return softplus(-gan.value(real, condition)).mean(), gan_loss(gan, real, fake, condition, turn)[1]


def data_half(gan, real, fake, condition, turn):
    loss = softplus(-gan.value(real, condition)).mean() / 2 + softplus(gan.value(fake, condition)).mean()
    return loss, gan_loss(gan, real, fake, condition, turn)[1]


def negated(gan, real, fake, condition, turn):
    loss, estimate = gan_loss(gan, real, fake, condition, turn)
    return -loss, estimate


def estimate_of_v(gan, real, fake, condition, turn):
    loss, _ = gan_loss(gan, real, fake, condition, turn)
    return loss, -loss.detach()


def estimate_with_penalty(wgan, real, fake, condition, turn):
    loss, _ = wgan_loss(wgan, real, fake, condition, turn)
    return loss, -loss.detach()


def up(_, value):
    return value.mean()


def saturating(_, value):
    return -softplus(value).mean()


def non_saturating(_, value):
    return softplus(-value).mean()


def summed(gan, value):
    return gan_generator(gan, value) * value.numel()


HONEST_DESCENT = Turn.descend


def away(turn, name, loss):
    HONEST_DESCENT(turn, name, -loss if name == "generator" else loss)


def penalty_of(size, norm=2):
    def penalty(wgan, between, condition):
        return wgan.options.penalty * size(wgan.slopes(between, condition).norm(p=norm, dim=1)).mean()

    return penalty


def squared_cost(one, other, metric):
    return float(ot.emd2(ot.unif(len(one)), ot.unif(len(other)), ot.dist(one, other)))


def always_euclidean(one, other, metric):
    return float(ot.emd2(ot.unif(len(one)), ot.unif(len(other)), ot.dist(one, other, metric="euclidean")))


@torch.no_grad()
def clips_matrices_alone(wgan):
    for weight in wgan.critic.parameters():
        if weight.dim() > 1:
            weight.clamp_(-wgan.options.clip, wgan.options.clip)


@torch.no_grad()
def clips_above_alone(wgan):
    for weight in wgan.critic.parameters():
        weight.clamp_(max=wgan.options.clip)


@torch.no_grad()
def clips_to_twice(wgan):
    for weight in wgan.critic.parameters():
        weight.clamp_(-2 * wgan.options.clip, 2 * wgan.options.clip)


ONE_STEP, SHORT = {"steps": 1}, {"steps": 20}
PLANTED = [
    Planted(
        "a swapped sign in V",
        "value_function",
        GAN_LOSS,
        swapped_sign,
        ("descends on is -V", "minus twice", "step up V"),
    ),
    Planted("V of the data alone", "value_function", GAN_LOSS, data_alone, ("descends on is -V", "always says 1/2")),
    Planted("an estimate that is V", "value_function", GAN_LOSS, estimate_of_v, ("V / 2 + log 2",)),
    Planted(
        "another loss than V's", "value_function", GAN_GENERATOR, non_saturating, ("minimax generator descends on V",)
    ),
    Planted(
        "a swapped sign in V",
        "optimal_discriminator",
        GAN_LOSS,
        swapped_sign,
        ("less than that", "falls short", "is that V"),
    ),
    Planted(
        "data that count half",
        "optimal_discriminator",
        GAN_LOSS,
        data_half,
        ("less than that", "is that V"),
    ),
    Planted(
        "a JSD without the half",
        "generator_criterion",
        "training.theory.generator_criterion.jensen_shannon",
        lambda p, q: 2 * _jensen_shannon(p, q),
        ("N(0.5, 1)", "N(2, 1)", "slope of 2 JSD"),
    ),
    Planted(
        "a minimax loss up V",
        "generator_criterion",
        GAN_GENERATOR,
        lambda _, value: softplus(value).mean(),
        ("slope of 2 JSD",),
    ),
    Planted(
        "V of the data alone", "generator_criterion", GAN_LOSS, data_alone, ("N(0, 1), for data", "there it is -log 4")
    ),
    Planted(
        "a loss that is V",
        "generator_criterion",
        GAN_LOSS,
        negated,
        ("for data from N(0, 1), is", "C is least", "near the best one"),
    ),
    Planted(
        "the minimax loss for both",
        "generator_gradients",
        GAN_GENERATOR,
        saturating,
        ("slope of -log D", "all but -1", "minus the rise"),
    ),
    Planted(
        "the non-saturating loss for both",
        "generator_gradients",
        GAN_GENERATOR,
        non_saturating,
        ("slope of log(1 - D)", "all but 0", "minimax slope is"),
    ),
    Planted(
        "a loss up its slope",
        "generator_gradients",
        GAN_GENERATOR,
        up,
        ("same sign", "where it cannot tell the minimax"),
    ),
    Planted(
        "a sum over the rows", "generator_gradients", GAN_GENERATOR, summed, ("slope of log(1 - D)", "slope of -log D")
    ),
    Planted(
        "a W1 with squared cost",
        "parallel_lines",
        "training.theory.parallel_lines.wasserstein",
        squared_cost,
        ("lines -0.25 apart W1 by", "lines +0.25 apart W1 by", "slope of W1 in theta"),
    ),
    Planted(
        "a root of the JSD",
        "parallel_lines",
        "training.theory.parallel_lines._divergence",
        lambda data, line: _line_divergence(data, line) ** 0.5,
        ("JSD is log 2",),
    ),
    Planted(
        "a generator down its critic",
        "parallel_lines",
        WGAN_GENERATOR,
        up,
        ("Wasserstein generator's loss",),
    ),
    Planted(
        "a loss that is alive",
        "parallel_lines",
        GAN_GENERATOR,
        non_saturating,
        ("slope of the minimax loss",),
    ),
    Planted(
        "an estimate that is V",
        "parallel_lines",
        GAN_LOSS,
        estimate_of_v,
        ("finds all of the JSD",),
    ),
    Planted(
        "a W1 with squared cost",
        "lipschitz_critics",
        "training.theory.lipschitz_critics.wasserstein",
        squared_cost,
        ("Euclidean slope 1", "Euclidean slope 3", "L1 slope 1", "13 places"),
    ),
    Planted(
        "one metric for both",
        "lipschitz_critics",
        "training.theory.lipschitz_critics.wasserstein",
        always_euclidean,
        ("L1 slope 1", "L1 slope 3"),
    ),
    Planted(
        "an estimate with the penalty",
        "lipschitz_critics",
        "training.families.wgan.WGAN.critic_loss",
        estimate_with_penalty,
        ("linear critic of slope 3", "any critic, times 3"),
    ),
    Planted(
        "a generator that wants the middle",
        "lipschitz_critics",
        WGAN_GENERATOR,
        lambda _, value: value.square().sum() - value.sum(),
        ("cosine",),
    ),
    Planted(
        "a penalty of (norm^2 - 1)^2",
        "gradient_penalty",
        PENALTY,
        penalty_of(lambda norm: (norm**2 - 1) ** 2),
        ("(3.0, 4.0)", "(0.0, 0.5)", "(1.0, 1.0)"),
        ONE_STEP,
    ),
    Planted(
        "a penalty of the sum of slopes",
        "gradient_penalty",
        PENALTY,
        penalty_of(lambda norm: (norm - 1) ** 2, norm=1),
        ("(3.0, 4.0)", "(0.6, 0.8)", "(1.0, 1.0)"),
        ONE_STEP,
    ),
    Planted(
        "a penalty of half the weight",
        "gradient_penalty",
        PENALTY,
        penalty_of(lambda norm: (norm - 1) ** 2 / 2),
        ("(3.0, 4.0)", "(0.0, 0.5)"),
        ONE_STEP,
    ),
    Planted(
        "a penalty above 2 alone",
        "gradient_penalty",
        PENALTY,
        penalty_of(lambda norm: (norm - 2).relu() ** 2),
        ("comes within 2 %", "estimates that and 1 / (2 lambda)"),
    ),
    Planted(
        "no spectral norm",
        "spectral_norm",
        "training.families.wgan.spectral_norm",
        lambda layer: layer,
        ("layer 1's matrix", "layer 2's matrix", "slope is at most 1", "no more than W1"),
    ),
    Planted(
        "clipping that misses the biases",
        "clipping",
        CONSTRAIN,
        clips_matrices_alone,
        ("clip = 0.01: steps after", "clip = 0.1: steps after"),
        SHORT,
    ),
    Planted(
        "clipping from above alone",
        "clipping",
        CONSTRAIN,
        clips_above_alone,
        ("clip = 0.01: steps after", "clip = 0.01: the K that a linear"),
        SHORT,
    ),
    Planted(
        "a box of twice the size",
        "clipping",
        CONSTRAIN,
        clips_to_twice,
        ("steps after", "on the wall", "clip = 0.01: the K that a linear", "64 * 64 * clip^3"),
        SHORT,
    ),
    Planted(
        "a loss that is alive",
        "saturation",
        GAN_GENERATOR,
        non_saturating,
        ("minimax loss has the slope",),
    ),
    Planted(
        "a loss that is dead",
        "saturation",
        GAN_GENERATOR,
        saturating,
        ("non-saturating loss still",),
    ),
    Planted(
        "a generator down its critic",
        "saturation",
        WGAN_GENERATOR,
        up,
        ("come to that of W1",),
    ),
    Planted(
        "a swapped sign in V",
        "saturation",
        GAN_LOSS,
        swapped_sign,
        ("says of data", "says of samples", "risen to the JSD"),
    ),
    Planted(
        "generators that go the other way",
        "mode_collapse",
        "training.family.Turn.descend",
        away,
        ("Wasserstein GAN are even", "modes more", "takes five steps to one are even"),
    ),
    Planted(
        "samples that are always even",
        "mode_collapse",
        "training.theory.mode_collapse._figures_of",
        lambda points: (0.01, 8.0),
        ("equal shares",),
        {"seeds": (0,), "steps": 30, "times": 1},
    ),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.experiment}: {planted.error}")
def test_claims_fail_by_a_planted_error_that_hold_without(planted, monkeypatch):
    right = made(planted.experiment, **planted.sizes)
    monkeypatch.setattr(planted.target, planted.wrong)
    wrong = run(planted.experiment, **(planted.sizes or SIZES[planted.experiment]))
    for words in planted.fails:
        assert any(words in claim.statement and claim.holds for claim in right.claims), words
        assert any(words in claim.statement and not claim.holds for claim in wrong.claims), words


def test_errors_are_planted_for_every_experiment():
    assert {planted.experiment for planted in PLANTED} == set(SIZES)
