"""A VAE raises the bound that its options say, and its score is the plain bound whatever they say."""

import pytest
import torch
from lightning_fabric import Fabric
from pydantic import ValidationError

from models import bounds
from tests.training.conftest import build, data
from training.families.vae import VAEOptions
from training.family import Turn
from training.objectives import elbo_loss

LATENT = 2


def epsilon(rows, samples, seed=0):
    return torch.randn(rows, samples, LATENT, generator=torch.Generator().manual_seed(seed))


class Given(Turn):
    """A turn whose noise is told beforehand."""

    def normal(self, rows, *shape):
        assert self.noise.shape == (rows, *shape)
        return self.noise


def turn(vae, step, noise=None):
    fabric, optimizers = Fabric(accelerator="cpu", devices=1), vae.optimizers(0.01, 0.0)
    if noise is None:
        return Turn(step, fabric, optimizers)
    given = Given(step, fabric, optimizers)
    object.__setattr__(given, "noise", noise)  # a Turn is frozen
    return given


@pytest.mark.parametrize(("step", "weight"), [(0, 0.75), (1, 1.5), (3, 3.0), (100, 3.0)])
def test_weight_of_the_kl_rises_to_beta(step, weight):
    vae = build("vae", "bernoulli", beta=3.0, warmup_steps=4)
    losses = vae.train_step(*data("vae-bernoulli"), turn(vae, step))
    torch.testing.assert_close(losses["loss"], weight * losses["kl"] - losses["reconstruction"])


@torch.no_grad()
def test_score_is_the_plain_bound_whatever_the_training():
    x, _ = data("vae-bernoulli", rows=3)
    plain = build("vae", "bernoulli").eval().score(x, epsilon(3, 2))
    for options in ({"beta": 5.0}, {"free_bits": 2.0}, {"objective": "iwae", "samples": 7}, {"warmup_steps": 99}):
        scored = build("vae", "bernoulli", **options).eval().score(x, epsilon(3, 2))
        assert all(torch.equal(plain[name], scored[name]) for name in plain)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (
            {"objective": "iwae", "samples": 2, "beta": 2.0},
            "the KL term, which the objective iwae does not have; take elbo",
        ),
        ({"objective": "iwae"}, "needs samples, 2 or more"),
        (
            {"objective": "iwae", "samples": 2, "free_bits": 0.1},
            "the KL term, which the objective iwae does not have; take elbo",
        ),
        ({"free_bits": 0.1, "prior": {}}, "the KL of each dimension, which a learned prior does not give; leave one"),
        ({"prior": {"layers": 1}}, "greater than or equal to 2"),
        ({"samples": 0}, "greater than or equal to 1"),
        ({"objective": "vimco"}, "Input should be 'elbo' or 'iwae'"),
    ],
)
def test_options_that_do_not_fit_together_are_refused(options, complaint):
    with pytest.raises(ValidationError, match=complaint):
        VAEOptions(latent=2, likelihood="bernoulli", **options)


def test_dimension_below_its_free_bits_is_not_pressed():
    vae = build("vae", "bernoulli", free_bits=0.5)
    last, latent = vae.encoder.network[-1], torch.tensor([0.1, 3.0])  # KLs of 0.005 and 4.5 nats
    last.weight.data.zero_()
    last.bias.data = torch.cat([latent, torch.zeros(2)])
    draw = vae.draw(data("vae-bernoulli", rows=6)[0], epsilon(6, 1), None)
    kl_alone = draw._replace(reconstruction=torch.zeros(6, 1))
    loss = elbo_loss(kl_alone, 2.0, 0.5)
    assert loss.item() == pytest.approx(2 * (0.5 + 4.5))
    (gradient,) = torch.autograd.grad(loss, last.bias)
    assert gradient.tolist() == pytest.approx([0, 2 * 3, 0, 0])  # of beta / 2 mean^2; exp(0) - 1 of the log variance


@pytest.mark.parametrize("samples", [2, 4])
@pytest.mark.parametrize("step", [0, 9])
def test_loss_of_iwae_is_the_negative_bound_with_its_samples(samples, step):
    vae = build("vae", "bernoulli", objective="iwae", samples=samples, warmup_steps=10)
    x, _ = data("vae-bernoulli", rows=8)
    with torch.no_grad():
        scored = vae.score(x, epsilon(8, samples))
    log_ratio = scored["log_weight"] - scored["reconstruction"]
    weight = scored["reconstruction"] + (step + 1) / 10 * log_ratio
    expected = -weight.exp().mean(dim=1).log().mean()
    losses = vae.train_step(x, None, turn(vae, step, epsilon(8, samples)))
    torch.testing.assert_close(losses["loss"], expected)


@torch.no_grad()
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"samples": 3, "beta": 2.0, "warmup_steps": 9}, lambda s: (2 * s["kl"] - s["reconstruction"]).mean(dim=1)),
        ({"objective": "iwae", "samples": 3}, lambda s: -s["log_weight"].exp().mean(dim=1).log()),
    ],
)
def test_validation_loss_is_the_negative_of_the_bound_that_is_raised(options, expected):
    vae = build("vae", "bernoulli", **options).eval()
    x, _ = data("vae-bernoulli", rows=8)
    torch.manual_seed(5)
    noise = torch.randn(8, 3, LATENT)
    torch.manual_seed(5)
    torch.testing.assert_close(vae.validation_loss(x, None), expected(vae.score(x, noise)))


@pytest.mark.parametrize("options", [{"objective": "iwae", "samples": 5}, {"prior": {"layers": 2}}])
def test_training_raises_the_bound_of_many_samples(options):
    vae, (x, _) = build("vae", "bernoulli", **options), data("vae-bernoulli")

    def bound():
        with torch.no_grad():
            log_weight = vae.score(x, epsilon(len(x), 64))["log_weight"].numpy()
        return bounds.importance_weighted_bound(log_weight).value.mean()

    before, optimizers = bound(), vae.optimizers(0.01, 0.0)
    for step in range(60):
        vae.train_step(x, None, Turn(step, Fabric(accelerator="cpu", devices=1), optimizers))
    assert bound() > before + 0.5
