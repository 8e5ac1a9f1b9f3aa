"""A generator and a critic take turns, what they make of x is in its support, and what is lacking has a reason."""

import pytest
import torch
from lightning_fabric import Fabric

from tests.training.conftest import EXAMPLES, build, data, model_options
from training.families.gan import GAN
from training.family import Turn

BOUNDED = [name for name, example in EXAMPLES.items() if example.range]
FAMILIES = ["gan", "wgan"]
CODES = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))


def ends(likelihood):
    return EXAMPLES[likelihood].range


def logistic(rows):
    """Noise whose sigmoids are evenly spread over 0 to 1."""
    return ((torch.arange(rows, dtype=torch.float64) + 0.5) / rows).logit()


def decoded(module, pixel):
    """x of each code for each value of the noise, (codes, noises, *shape), and the mean, (codes, *shape)."""
    z = CODES.repeat_interleave(len(pixel), dim=0)
    noise = pixel.float().repeat(len(CODES)).view(-1, *[1] * len(module.shape)).expand(-1, *module.shape)
    out = module.decode(z, noise)
    x, mean = (out[name].unflatten(0, (len(CODES), len(pixel))) for name in ("x", "mean"))
    return x, mean[:, 0]


def wide(likelihood, gain=10.0):
    """A GAN whose means come near to both ends of the range."""
    module = build("gan", likelihood).eval()
    module.generator[-1].weight.data *= gain
    return module


@torch.no_grad()
def test_real_x_is_what_the_generator_makes_in_units_of_the_data():
    module = build("gan", "gaussian").eval()
    center, spread = torch.linspace(-1, 1000, 7), torch.linspace(0.1, 50, 7)
    module.standardize(center, spread)
    generated = module.generate(CODES)
    assert torch.equal(generated["x"], center + spread * module.generator(CODES))
    assert torch.equal(generated["z"], CODES)


@torch.no_grad()
@pytest.mark.parametrize("likelihood", BOUNDED)
def test_bounded_x_is_its_mean_rounded_up_or_down_so_that_it_is_its_expectation(likelihood):
    x, mean = decoded(wide(likelihood), logistic(2000))
    assert ((x - mean[:, None]).abs() < 1).all()
    assert (x.mean(dim=1) - mean).abs().max() < 1e-3  # the noises are so many steps of 1 / 2000
    assert ((x.amin(dim=1) < mean) & (mean < x.amax(dim=1))).float().mean() > 0.5


@torch.no_grad()
@pytest.mark.parametrize("likelihood", BOUNDED)
def test_bounded_x_without_noise_is_the_nearest_level(likelihood):
    x, mean = decoded(wide(likelihood), torch.zeros(1))
    assert torch.equal(x[:, 0], mean.round())


@torch.no_grad()
def test_temperature_of_binary_draws_divides_their_logits():
    module, noise = wide("bernoulli"), logistic(2000)
    for temperature in (0.5, 2.0):
        x, mean = decoded(module, temperature * noise)
        assert (x.mean(dim=1) - (mean.logit() / temperature).sigmoid()).abs().max() < 1e-3


@torch.no_grad()
@pytest.mark.parametrize("likelihood", BOUNDED)
@pytest.mark.parametrize("sign", [-1, 1])
def test_bounded_x_is_in_the_support_however_strong_generator_and_noise(likelihood, sign):
    module, (low, high) = build("gan", likelihood), ends(likelihood)
    module.generator[-1].bias.data.fill_(sign * 100)
    x, mean = decoded(module, torch.tensor([-1e3, 0, 1e3]))
    assert (mean == (low if sign < 0 else high)).all()
    assert set(x.unique().tolist()) <= set(range(int(low), int(high) + 1))


@torch.no_grad()
def test_noise_of_one_pixel_moves_that_pixel_alone():
    module, noise = build("gan", "discretized_logistic").eval(), torch.zeros(6, 5, 3)
    still = module.decode(CODES, noise)["x"]
    noise[:, 2, 1] = 1e3
    assert ((module.decode(CODES, noise)["x"] != still).sum(0) > 0).nonzero().tolist() == [[2, 1]]


@torch.no_grad()
@pytest.mark.parametrize("likelihood", BOUNDED)
def test_critic_sees_a_range_as_1_to_either_side_of_0(likelihood):
    module = build("gan", likelihood).eval()
    for end, unit in zip(ends(likelihood), (-1.0, 1.0), strict=True):
        realness = module.criticize(torch.full((1, *module.shape), end))["realness"]
        torch.testing.assert_close(realness, module.critic(torch.full((1, module.center.numel()), unit))[:, 0])


@torch.no_grad()
def test_critic_sees_standardized_values():
    module, (x, _) = build("wgan", "gaussian").eval(), data("wgan-clip")
    plain = module.criticize(x)["realness"]
    module.standardize(torch.full((7,), 50.0), torch.full((7,), 3.0))
    torch.testing.assert_close(module.criticize(50 + 3 * x)["realness"], plain, rtol=1e-4, atol=1e-5)


def weights(module):
    return torch.cat([weight.detach().flatten() for weight in module.parameters()])


@pytest.mark.parametrize("family", FAMILIES)
def test_the_critic_moves_at_every_step_and_the_generator_every_so_many(family):
    module, (x, _) = build(family, "gaussian", critic_steps=3), data(f"{family}-gaussian")
    optimizers, moved = module.optimizers(0.01, 0.0), []
    for step in range(7):
        before = [weights(part) for part in (module.generator, module.critic)]
        module.train_step(x, None, Turn(step, Fabric(accelerator="cpu", devices=1), optimizers))
        after = [weights(part) for part in (module.generator, module.critic)]
        moved.append([not torch.equal(*pair) for pair in zip(before, after, strict=True)])
    assert moved == [[step % 3 == 0, True] for step in range(7)]


@pytest.mark.parametrize("family", FAMILIES)
def test_a_generators_step_takes_no_gradient_of_the_critic(family, monkeypatch):
    """Not even one that nobody would use."""
    module, (x, _) = build(family, "gaussian"), data("wgan-clip")
    own = []
    monkeypatch.setattr(module, "constrain", lambda: own.extend(w.grad.clone() for w in module.critic.parameters()))
    fabric = Fabric(accelerator="cpu", devices=1)
    module.train_step(x, None, Turn(0, fabric, module.optimizers(0.01, 0.0)))
    assert all(weight.grad.any() for weight in module.generator.parameters())
    assert all(map(torch.equal, own, (weight.grad for weight in module.critic.parameters())))
    assert len(own) == len(list(module.critic.parameters()))


def test_weights_that_are_held_fast_stay_while_the_others_are_learned():
    module, (x, _) = build("gan", "gaussian"), data("wgan-clip")
    held, *others = module.generator.parameters()
    held.requires_grad_(False)
    before = [weight.clone() for weight in (held, *others)]
    fabric = Fabric(accelerator="cpu", devices=1)
    module.train_step(x, None, Turn(0, fabric, module.optimizers(0.01, 0.0)))
    assert [torch.equal(*pair) for pair in zip(before, (held, *others), strict=True)] == [True] + [False] * len(others)


def test_a_wasserstein_critic_takes_five_steps_to_one_unless_it_is_told_otherwise():
    assert [build(family, "gaussian").options.critic_steps for family in FAMILIES] == [1, 5]


def test_each_network_has_an_optimiser_of_its_own_of_which_the_critics_has_its_pace():
    module = build("gan", "gaussian", critic_pace=4.0, betas=[0.0, 0.99])
    optimizers = module.optimizers(0.5, 0.125)
    for name, rate in (("generator", 0.5), ("critic", 2.0)):
        groups = optimizers[name].param_groups
        assert {id(weight) for group in groups for weight in group["params"]} == {
            id(weight) for weight in getattr(module, name).parameters()
        }
        assert {(group["lr"], group["betas"]) for group in groups} == {(rate, (0.0, 0.99))}
        assert [group["weight_decay"] for group in groups] == [0.125, 0.0]


def test_what_is_shown_of_a_step_is_each_networks_loss_and_the_estimate():
    module, (x, _) = build("wgan", "gaussian", constraint="clip"), data("wgan-clip")
    fabric = Fabric(accelerator="cpu", devices=1)
    shown = module.train_step(x, None, Turn(1, fabric, module.optimizers(0.01, 0.0)))
    assert set(shown) == {"generator", "critic", "estimate"}
    assert shown["critic"] == -shown["estimate"]


@pytest.mark.parametrize(("family", "called"), [("gan", "a GAN "), ("wgan", "a Wasserstein GAN ")])
def test_what_it_lacks_it_says_in_its_own_name(family, called):
    module = build(family, "gaussian")
    assert set(module.absent) == {"encode", "score", "complete"}
    assert all(reason.startswith(called) for reason in module.absent.values())
    assert "has no encoder" in module.absent["encode"]
    assert "has no density" in module.absent["score"]


@pytest.mark.parametrize(("family", "kind"), [("gan", "logit"), ("wgan", "critic")])
def test_it_says_what_its_critic_tells(family, kind):
    assert build(family, "gaussian").realness_kind == kind


def test_a_critic_that_is_kept_back_is_in_no_graph(exports):
    assert set(exports("wgan-clip").export.graphs) == {"generate.onnx", "criticize.onnx"}
    made = exports("wgan-conditional").export
    assert set(made.graphs) == {"generate.onnx"}
    assert b"critic" not in made.graphs["generate.onnx"]
    assert b"generator" in made.graphs["generate.onnx"]


@pytest.mark.parametrize(("likelihood", "shape", "rows"), [("gaussian", (2,), 2500), ("binomial", (3, 4), 10)])
def test_a_frame_is_of_the_same_codes_each_time_whatever_was_drawn(likelihood, shape, rows):
    module = GAN(GAN.Options.model_validate(model_options("gan", likelihood)), EXAMPLES[likelihood], shape).eval()
    torch.manual_seed(1)
    first = module.frame()
    drawn = torch.rand(3)
    torch.manual_seed(1)
    assert torch.equal(torch.rand(3), drawn)
    assert torch.equal(module.frame(), first)
    assert first.shape == (rows, *shape)
    assert len(first.unique(dim=0)) == rows


def test_there_is_no_frame_of_what_cannot_be_shown():
    assert build("gan", "gaussian").frame() is None


def test_labels_take_turns_in_a_frame():
    module = build("gan", "binomial", conditional=True).eval()
    module.generator[1].linear.weight.data[:, :2] = 0  # of the code, so that the label alone tells
    frame = module.frame()
    torch.testing.assert_close(frame[:7], frame[3:])
    assert len(frame[:3].unique(dim=0)) == 3
