"""The probabilities of all examples sum to one, a score is log p(x) itself, and every order learns."""

import math
from itertools import product

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from models.manifest import Example
from tests.training.conftest import HIDDEN, ROWS, SHAPES, build, build_member, data
from training.families.autoregressive import Autoregressive, AutoregressiveOptions
from training.family import Turn

NETWORKS = {"masked": HIDDEN, "mixture": HIDDEN | {"orders": 3}, "rows": ROWS}
STRENGTHS = {"masked": 6, "mixture": 8, "rows": 2}
LIKELIHOODS = {"bernoulli": ((3, 4), 1), "binomial": ((2, 3), 3), "discretized_logistic": ((2, 3), 3)}
D = math.prod(SHAPES["bernoulli"])


def bent(network="masked", likelihood="bernoulli", shape=(3, 3), high=1, strength=1.0):
    """A model with random weights, so great that a dimension hangs strongly on those before it."""
    torch.manual_seed(0)
    example = Example(kind="image", support="binary" if likelihood == "bernoulli" else "levels", range=(0, high))
    options = AutoregressiveOptions.model_validate({"likelihood": likelihood, "network": NETWORKS[network]})
    module = Autoregressive(options, example, shape).eval()
    for parameter in module.network.parameters():
        parameter.data *= strength * STRENGTHS[network]
    return module


def every(shape, high=1):
    """All examples, each once."""
    return torch.tensor(list(product(range(high + 1), repeat=math.prod(shape)))).float().view(-1, *shape)


def sum_of(log_prob):
    return log_prob.double().exp().sum().item()


@torch.no_grad()
@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("likelihood", LIKELIHOODS)
def test_probabilities_of_all_examples_sum_to_one(network, likelihood):
    shape, high = LIKELIHOODS[likelihood]
    log_prob = bent(network, likelihood, shape, high).score(every(shape, high))["log_weight"]
    assert sum_of(log_prob) == pytest.approx(1, abs=1e-4)
    assert log_prob.std() > 1


@torch.no_grad()
def test_a_mean_of_the_orders_logits_is_no_distribution():
    """Else a score by it would be taken for a probability by the test above."""
    module, x = bent("mixture"), every((3, 3)).flatten(1)
    logits = module.network(module._scaled(x)).mean(1)
    assert abs(sum_of(module.likelihood.log_prob(x, logits)) - 1) > 0.01


@torch.no_grad()
def test_score_of_a_mixture_is_by_the_mean_of_its_orders_probabilities():
    """Every pixel is 1 with probability 1/2 in the first order, 3/4 in the second, 1/4 in the third."""
    module, x = without_weights("autoregressive-mixture"), torch.zeros(5, D)
    for order, logit in enumerate((0, math.log(3), -math.log(3))):
        module.network.last.bias.view(3, D)[order] = logit
    for row, ones in enumerate((0, 1, 4, 9, D)):
        x[row, :ones] = 1
    joint = [[0.5**D, 0.75**k * 0.25 ** (D - k), 0.25**k * 0.75 ** (D - k)] for k in (0, 1, 4, 9, D)]
    scored = module.score(x.view(-1, 3, 4))["log_weight"]
    np.testing.assert_allclose(scored, np.log(np.mean(joint, axis=1))[:, None], rtol=1e-5)


@torch.no_grad()
def test_score_is_the_sum_of_each_pixels_log_probability_given_those_before_it():
    """A pixel repeats the one before it with probability 3/4; the first is 1 with probability 1/4."""
    module, repeat = without_weights("autoregressive-bernoulli"), math.log(3)
    network = module.network
    for pixel in range(D - 1):  # each seen by one unit of each layer, and by the pixel after it alone
        first, second = ((layer.after[0] == pixel).nonzero()[0, 0] for layer in (network.first, network.hidden[0]))
        network.first.weight[first, pixel] = 100
        network.hidden[0].weight[second, first] = 100
        network.last.weight[pixel + 1, second] = 2 * repeat
    network.last.bias.fill_(-repeat)
    x = torch.tensor([[0] * D, [1] * D, [0, 1] * 6, [1, 1, 1, 0, 0, 0] * 2]).float()
    changes = [0, 0, 11, 3]
    scored = module.score(x.view(-1, 3, 4))["log_weight"]
    expected = [
        math.log(1 / 4 if row[0] else 3 / 4) + n * math.log(1 / 4) + (D - 1 - n) * math.log(3 / 4)
        for row, n in zip(x, changes, strict=True)
    ]
    np.testing.assert_allclose(scored, np.array(expected)[:, None], rtol=1e-5)


def without_weights(member):
    module = build_member(member).eval()
    for parameter in module.parameters():
        parameter.data.zero_()
    return module


def test_every_order_learns():
    module, (x, _) = build_member("autoregressive-mixture"), data("autoregressive-mixture")
    optimizers = module.optimizers(0.01, 0.0)
    before = module._log_prob(x).detach().mean(0)
    for step in range(30):
        losses = module.train_step(x, None, Turn(step, Fabric(accelerator="cpu", devices=1), optimizers))
    after = module._log_prob(x).detach().mean(0)
    assert before.shape == (3,)
    assert (after > before + 0.5).all()
    assert losses["loss"].item() == pytest.approx(-after.mean().item(), abs=0.3)


@torch.no_grad()
def test_validation_loss_is_that_of_the_mixture_and_at_most_the_mean_over_its_orders():
    module, x = bent("mixture"), every((3, 3))
    loss = module.validation_loss(x, None)
    torch.testing.assert_close(loss, -module.score(x)["log_weight"][:, 0])
    assert (loss < -module._log_prob(x).mean(1)).all()


def test_only_one_order_can_complete():
    for orders in (1, 3):
        module = build("autoregressive", "bernoulli", network=HIDDEN | {"orders": orders})
        assert ("complete" in module.operations()) == (orders == 1)
    assert "a mixture over several orders" in module.absent["complete"]
    assert "complete" not in Autoregressive.absent
