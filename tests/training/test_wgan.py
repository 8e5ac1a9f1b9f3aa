"""Each constraint of a Wasserstein GAN's critic holds after training, and is what its paper says."""

from functools import cache

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from torch import nn

from tests.training.conftest import CONVOLUTIONAL, HIDDEN, SHAPES, build, data
from tests.training.test_trainer import DATA
from training.build import build as build_by
from training.export import export
from training.exported import Exported
from training.family import Turn
from training.recipe import Recipe
from training.trainer import fit

FABRIC = Fabric(accelerator="cpu", devices=1)
LINEAR = {"widths": []}
REAL, FAKE = torch.randn(2, 50, *SHAPES["gaussian"], generator=torch.Generator().manual_seed(0))
CLIP = 0.0625  # exact in binary
ABOVE = 1e-3  # power iteration finds a norm from below, slowly where the two greatest singular values are near


def greatest(module):
    return max(weight.abs().max().item() for weight in module.parameters())


def test_clipped_weights_stay_in_the_box_after_every_step():
    wgan, (x, _) = build("wgan", "gaussian", constraint="clip", clip=CLIP), data("wgan-clip")
    optimizers, constrain, before, after = wgan.optimizers(0.01, 0.0), wgan.constrain, [], []

    def watched():
        before.append(greatest(wgan.critic))
        constrain()
        after.append(greatest(wgan.critic))

    wgan.constrain = watched
    for step in range(4):
        wgan.train_step(x, None, Turn(step, FABRIC, optimizers))
    assert min(before) > CLIP
    assert after == [CLIP] * 4
    assert greatest(wgan.critic) == CLIP < greatest(wgan.generator)


@pytest.mark.parametrize("constraint", ["gradient_penalty", "spectral_norm"])
def test_weights_of_other_critics_are_not_clipped(constraint):
    wgan = build("wgan", "gaussian", constraint=constraint, clip=1e-6)
    wgan.constrain()
    assert greatest(wgan.critic) > 0.1


def test_penalty_of_a_linear_critic_is_that_of_its_weights_and_can_be_descended_on():
    wgan = build("wgan", "gaussian", critic=LINEAR, penalty=7.0)
    w = wgan.critic[-1].weight
    penalty = wgan.penalty(REAL, None)
    norm = w.detach().norm()
    torch.testing.assert_close(penalty, 7.0 * (norm - 1).square())
    (slope,) = torch.autograd.grad(penalty, w)
    torch.testing.assert_close(slope, 2 * 7.0 * (norm - 1) * w.detach() / norm)
    assert slope.norm() > 1


def test_penalty_is_that_of_the_slope_at_its_points():
    wgan = build("wgan", "gaussian")
    slopes = torch.vmap(torch.func.grad(lambda x: wgan.value(x[None], None)[0]))(REAL)
    torch.testing.assert_close(wgan.penalty(REAL, None), 10.0 * (slopes.norm(dim=1) - 1).square().mean())


def test_penalty_of_a_conditional_critic_is_of_the_slope_of_its_labels_value():
    wgan = build("wgan", "gaussian", critic=LINEAR, conditional=True)
    label = torch.tensor([2, 0])
    slopes = wgan.slopes(REAL[:2], nn.functional.one_hot(label, 3).float())
    torch.testing.assert_close(slopes, wgan.critic[-1].weight[label])


def test_penalty_is_taken_uniformly_between_each_example_and_its_sample():
    wgan, taken = build("wgan", "gaussian"), []
    wgan.penalty = lambda between, condition: taken.append(between) or between.new_zeros(())
    rows = 10_000
    torch.manual_seed(0)
    with torch.no_grad():
        wgan.critic_loss(torch.full((rows, 7), 3.0), torch.full((rows, 7), 5.0), None, Turn(0, FABRIC, {}))
    (between,) = taken
    assert (between == between[:, :1]).all()
    share = ((between[:, 0] - 3) / 2).sort().values
    assert (share - (torch.arange(rows) + 0.5) / rows).abs().max() < 1.95 / rows**0.5  # Kolmogorov, p = 0.001


def test_estimate_is_the_mean_value_of_data_less_that_of_samples():
    wgan = build("wgan", "gaussian", constraint="clip")
    loss, estimate = wgan.critic_loss(REAL, FAKE, None, Turn(0, FABRIC, {}))
    torch.testing.assert_close(estimate, wgan.critic(REAL).detach().mean() - wgan.critic(FAKE).detach().mean())
    torch.testing.assert_close(loss.detach(), -estimate)


def test_penalty_is_added_to_what_the_critic_descends_on_and_is_no_part_of_the_estimate():
    wgan = build("wgan", "gaussian", critic=LINEAR, penalty=7.0)
    loss, estimate = wgan.critic_loss(REAL, FAKE, None, Turn(0, FABRIC, {}))
    torch.testing.assert_close(loss, wgan.penalty(REAL, None) - estimate)


def test_penalty_that_is_taken_every_third_step_is_taken_three_times_as_much():
    wgan = build("wgan", "gaussian", critic=LINEAR, penalty=7.0, penalty_every=3)
    losses = [wgan.critic_loss(REAL, FAKE, None, Turn(step, FABRIC, {})) for step in range(5)]
    whole = wgan.penalty(REAL, None).item()
    added = [(loss + estimate).item() for loss, estimate in losses]
    assert added == pytest.approx([3 * whole, 0, 0, 3 * whole, 0], rel=1e-5, abs=1e-5)


def test_generator_ascends_on_the_value_of_its_samples():
    value = torch.tensor([1.0, 2.0, 6.0], requires_grad=True)
    loss = build("wgan", "gaussian").generator_loss(value)
    assert loss.item() == -3
    assert torch.autograd.grad(loss, value)[0].tolist() == pytest.approx([-1 / 3] * 3)


NETWORKS = {"connected": HIDDEN, "convolutional": CONVOLUTIONAL}


@pytest.fixture(scope="module")
def normed(tmp_path_factory):
    """normed(network): a critic with spectral norms, after a training by a recipe, and its matrices before."""

    @cache
    def make(network):
        model = {"latent": 2, "generator": HIDDEN, "critic": NETWORKS[network], "constraint": "spectral_norm"}
        training = {"epochs": 12, "batch_size": 16, "warmup_steps": 0, "learning_rate": 1e-2, "threads": 1}
        named = {"name": "normed", "title": "A test", "family": "wgan", "data": {"source": "rows"}}
        asked = Recipe.model_validate(named | {"model": model, "training": training})
        wgan = build_by(asked, DATA)
        before = [layer.parametrizations.weight.original.detach().clone() for layer in layers(wgan)]
        fit(wgan, DATA, asked, tmp_path_factory.mktemp(network) / "checkpoint.pt", "cpu")
        return wgan, before

    return make


def layers(wgan):
    return [layer for layer in wgan.critic.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]


def spectral_norms(wgan):
    return [torch.linalg.svdvals(layer.weight.detach().flatten(1))[0].item() for layer in layers(wgan)]


@pytest.mark.parametrize("network", NETWORKS)
def test_spectral_norms_of_all_layers_are_1_after_training(normed, network):
    wgan, before = normed(network)
    assert not wgan.training
    for matrix, layer, norm in zip(before, layers(wgan), spectral_norms(wgan), strict=True):
        assert (layer.parametrizations.weight.original - matrix).norm() > 0.1 * matrix.norm()
        assert 1 - 1e-4 < norm < 1 + ABOVE


def test_values_of_the_exported_critic_differ_by_less_than_its_examples(normed):
    """In units in which the range is -1 to 1; for layers that are all fully connected, and still after their export."""
    wgan, _ = normed("connected")
    made = export(wgan, DATA.validation)
    assert all(1 - 1e-3 < norm < 1 + ABOVE for norm in spectral_norms(wgan))
    exported = Exported(made.operations, made.graphs)
    one, other = np.random.default_rng(0).random((2, 2000, *SHAPES["bernoulli"]), dtype=np.float32)
    apart = 2 * np.linalg.norm((one - other).reshape(2000, -1), axis=1)
    values = [exported.run("criticize", {"x": x})["realness"] for x in (one, other)]
    assert 0.1 < (np.abs(values[0] - values[1]) / apart).max() < 1
