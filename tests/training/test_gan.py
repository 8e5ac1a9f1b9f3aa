"""A GAN descends on what its papers say, in closed form, and estimates the divergence that they say."""

import math

import pytest
import torch
from lightning_fabric import Fabric
from torch.distributions import Normal
from torch.nn.functional import binary_cross_entropy_with_logits

from tests.training.conftest import EXAMPLES, SHAPES, build, data
from training.families.gan import GAN
from training.family import Turn

LINEAR = {"widths": []}
REAL, FAKE = torch.randn(2, 50, *SHAPES["gaussian"], generator=torch.Generator().manual_seed(0))


def turn(step=0):
    return Turn(step, Fabric(accelerator="cpu", devices=1), {})


def cross_entropies(gan):
    real, fake = gan.value(REAL, None), gan.value(FAKE, None)
    cross_entropy = binary_cross_entropy_with_logits
    return cross_entropy(real, torch.ones_like(real)) + cross_entropy(fake, torch.zeros_like(fake))


def test_discriminator_descends_on_its_two_cross_entropies():
    gan = build("gan", "gaussian")
    loss, _ = gan.critic_loss(REAL, FAKE, None, turn())
    torch.testing.assert_close(loss, cross_entropies(gan))


@torch.no_grad()
def test_estimate_is_half_of_v_and_log_2():
    gan = build("gan", "gaussian")
    real, fake = gan.value(REAL, None).sigmoid(), gan.value(FAKE, None).sigmoid()
    v = real.log().mean() + (1 - fake).log().mean()
    torch.testing.assert_close(gan.critic_loss(REAL, FAKE, None, turn())[1], v / 2 + math.log(2))


GENERATOR = {  # the loss of a logit, and its slope
    "minimax": (lambda a: (1 - a.sigmoid()).log(), lambda a: -a.sigmoid()),
    "non_saturating": (lambda a: -a.sigmoid().log(), lambda a: -(1 - a.sigmoid())),
}


@pytest.mark.parametrize("objective", GENERATOR)
def test_generator_descends_on_the_loss_of_its_paper(objective):
    loss, slope = GENERATOR[objective]
    a = torch.linspace(-6, 6, 25, dtype=torch.float64, requires_grad=True)
    mean = build("gan", "gaussian", objective=objective).generator_loss(a)
    torch.testing.assert_close(mean, loss(a).mean())
    torch.testing.assert_close(torch.autograd.grad(mean, a)[0], slope(a).detach() / len(a))


def test_generator_that_is_found_out_learns_by_the_non_saturating_loss_alone():
    """Why there are two: at a logit of -20 the one slope is all but 0, the other all but -1."""
    found_out = torch.tensor([-20.0], requires_grad=True)
    slopes = {
        objective: torch.autograd.grad(
            build("gan", "gaussian", objective=objective).generator_loss(found_out), found_out
        )
        for objective in GENERATOR
    }
    assert {objective: round(slope.item(), 6) for objective, (slope,) in slopes.items()} == {
        "minimax": 0,
        "non_saturating": -1,
    }


def added(gan, step=0):
    """What is added to the cross-entropies."""
    return (gan.critic_loss(REAL, FAKE, None, turn(step))[0] - cross_entropies(gan)).item()


def test_r1_is_half_its_weight_times_the_squared_slope():
    gan = build("gan", "gaussian", critic=LINEAR, r1=3.0)
    assert added(gan) == pytest.approx(0.5 * 3.0 * gan.critic[-1].weight.square().sum().item(), rel=1e-5)


def test_r1_is_of_the_slope_at_the_data():
    gan = build("gan", "gaussian", r1=3.0)
    slopes = torch.vmap(torch.func.grad(lambda x: gan.value(x[None], None)[0]))(REAL)
    assert added(gan) == pytest.approx(0.5 * 3.0 * slopes.square().sum(1).mean().item(), rel=1e-4)


def test_r1_is_descended_on():
    gan = build("gan", "gaussian", critic=LINEAR, r1=3.0)
    w = gan.critic[-1].weight
    loss, _ = gan.critic_loss(REAL, FAKE, None, turn())
    (slope,) = torch.autograd.grad(loss - cross_entropies(gan), w)
    torch.testing.assert_close(slope, 3.0 * w.detach())


def test_r1_that_is_taken_every_third_step_is_taken_three_times_as_much():
    always, seldom = (build("gan", "gaussian", critic=LINEAR, r1=2.0, r1_every=every) for every in (1, 3))
    whole = added(always)
    assert [added(seldom, step) for step in range(5)] == pytest.approx([3 * whole, 0, 0, 3 * whole, 0], abs=1e-5)


def test_r1_is_no_part_of_the_estimate():
    with_r1, without = (build("gan", "gaussian", r1=r1).critic_loss(REAL, FAKE, None, turn())[1] for r1 in (3.0, 0.0))
    assert with_r1 == without


def quantiles(rows):
    """Points that stand for the standard normal, (rows, 1)."""
    return torch.special.ndtri((torch.arange(rows, dtype=torch.float64) + 0.5) / rows)[:, None]


def jensen_shannon(shift):
    """Of N(0, 1) and N(shift, 1), by the trapezoidal rule."""
    x = torch.linspace(-15, 15, 20_001, dtype=torch.float64)
    p, q = (Normal(mean, 1.0).log_prob(x) for mean in (0.0, shift))
    middle = torch.logaddexp(p, q) - math.log(2)
    return torch.trapezoid(p.exp() * (p - middle) + q.exp() * (q - middle), x).item() / 2


@torch.no_grad()
@pytest.mark.parametrize("shift", [0.0, 0.5, 2.0, 6.0])
def test_estimate_of_the_best_discriminator_is_the_jensen_shannon_divergence_and_of_others_less(shift):
    """Between normals of one variance the best logit, log p(x) - log q(x), is linear in x."""
    gan = GAN(GAN.Options(latent=1, critic=LINEAR), EXAMPLES["gaussian"], (1,)).double()
    best = (-shift, shift**2 / 2)

    def estimate(slope, offset):
        gan.critic[-1].weight.data.fill_(slope)
        gan.critic[-1].bias.data.fill_(offset)
        real = quantiles(10_000)
        return gan.critic_loss(real, real + shift, None, turn())[1].item()

    assert estimate(*best) == pytest.approx(jensen_shannon(shift), abs=1e-4)
    for slope, offset in [(0.3, 0), (-0.3, 0), (0, 0.3), (0, -0.3)]:
        assert estimate(best[0] + slope, best[1] + offset) < estimate(*best)


@torch.no_grad()
@pytest.mark.parametrize("family", ["gan", "wgan"])
def test_conditional_critic_counts_the_value_of_its_label_alone(family):
    module, (x, label) = build(family, "gaussian", conditional=True), data("wgan-conditional")
    realness = module.criticize(x, label)["realness"]
    torch.testing.assert_close(realness, module.critic(x).gather(1, label[:, None])[:, 0])
    module.critic[-1].weight.data[1:] += 1
    after = module.criticize(x, label)["realness"]
    torch.testing.assert_close(after[label == 0], realness[label == 0])
    assert (after[label != 0] != realness[label != 0]).all()
