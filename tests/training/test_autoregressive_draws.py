"""What is drawn is distributed as the model says: samples, completions of a prefix, and all other completions."""

from functools import cache

import numpy as np
import pytest
import torch
from scipy import stats

from models import noise
from tests.training.test_autoregressive import NETWORKS, bent, every, without_weights

DRAWS, BLOCK = 100_000, 10_000
SHAPE = (3, 3)
STATES = every(SHAPE)
X = torch.tensor([[1, 0, 1], [0, 0, 1], [1, 1, 0]]).float()
ROW, PREFIX = [[1, 1, 1], [0, 0, 0], [0, 0, 0]], [[1, 1, 1], [1, 0, 0], [0, 0, 0]]
LAST, HOLES = [[0, 0, 0], [0, 0, 0], [1, 1, 1]], [[0, 1, 0], [1, 0, 1], [0, 1, 0]]


def p_value(counts, log_prob):
    """Of Pearson's test; the states that are expected less than five times are one cell."""
    p = log_prob.double().exp().numpy()
    expected = DRAWS * p / p.sum()
    rare = expected < 5
    cells = [np.append(values[~rare], values[rare].sum()) for values in (counts, expected)]
    return stats.chisquare(*(cell[cells[1] > 0] for cell in cells)).pvalue


@torch.no_grad()
def counted(module, operation, **given):
    """How often each state is drawn, with the noise of the service."""
    counts, function, shapes = np.zeros(len(STATES), int), module.operations()[operation], module.shapes()
    fill = {name: torch.full((BLOCK, *SHAPE), float(value)) for name, value in function.fill.items()}
    given = fill | {name: value.expand(BLOCK, *SHAPE) for name, value in given.items()}
    for index in range(0, DRAWS, BLOCK):
        drawn = {
            name: torch.from_numpy(noise.draw(kind, name, shapes[name], seed=7, index=index, rows=BLOCK))
            for name, kind in function.noise.items()
        }
        x = function.call(**given, **drawn)["x"]
        counts += np.bincount(_number(x), minlength=len(STATES))
    return counts


def _number(x):
    """Of a state in STATES."""
    return (x.flatten(1) @ 2.0 ** torch.arange(8, -1, -1)).long().numpy()


@torch.no_grad()
def log_prob(module):
    return module.score(STATES)["log_weight"][:, 0]


@torch.no_grad()
def conditional(module, kept):
    """log p(free pixels | kept pixels) of each state, up to a constant; minus infinity where kept ones differ."""
    return torch.where(_agreeing(kept), log_prob(module), -torch.inf)


@torch.no_grad()
def causal(module, kept):
    """The sum over the free pixels alone of log p(pixel | all before it)."""
    logits = module.network(module._scaled(STATES.flatten(1)))[:, 0]
    terms = torch.distributions.Bernoulli(logits=logits).log_prob(STATES.flatten(1))
    return torch.where(_agreeing(kept), (terms * (1 - kept.flatten())).sum(1), -torch.inf)


def _agreeing(kept):
    return ((STATES == X) | (kept == 0)).flatten(1).all(1)


@cache
def sampled(network):
    return counted(bent(network), "sample")


@pytest.mark.parametrize("network", NETWORKS)
def test_samples_are_distributed_as_they_are_scored(network):
    counts = sampled(network)
    assert counts.sum() == DRAWS
    assert p_value(counts, log_prob(bent(network))) > 1e-3
    assert p_value(counts, log_prob(bent(network, strength=0.8))) < 1e-3


def test_samples_of_a_mixture_are_not_those_of_one_of_its_orders():
    with torch.no_grad():
        for order in bent("mixture")._log_prob(STATES).unbind(1):
            assert p_value(sampled("mixture"), order) < 1e-3


@pytest.mark.parametrize(("network", "kept"), [("masked", ROW), ("masked", PREFIX), ("rows", PREFIX)])
def test_completions_of_a_prefix_are_distributed_as_the_model_given_it(network, kept):
    module, kept = bent(network), torch.tensor(kept).float()
    counts = counted(module, "complete", x=X, mask=kept)
    assert p_value(counts, conditional(module, kept)) > 1e-3
    assert p_value(counts, conditional(bent(network, strength=0.8), kept)) < 1e-3


@pytest.mark.parametrize(("network", "kept"), [("masked", LAST), ("masked", HOLES), ("rows", HOLES)])
def test_other_completions_are_drawn_pixel_by_pixel_given_all_before_it(network, kept):
    module, kept = bent(network), torch.tensor(kept).float()
    counts = counted(module, "complete", x=X, mask=kept)
    assert torch.logsumexp(causal(module, kept), 0) == pytest.approx(0, abs=1e-5)
    assert p_value(counts, causal(module, kept)) > 1e-3
    assert p_value(counts, conditional(module, kept)) < 1e-3


def test_a_mixture_takes_its_orders_equally_often():
    """In each order but one pixel is ever 1, and it tells which."""
    module = without_weights("autoregressive-mixture")
    module.network.last.bias.data = 200 * torch.eye(3, 12).flatten() - 100
    shapes = {name: module.shapes()[name] for name in ("pixel", "order")}
    pixel, order = (
        torch.from_numpy(noise.draw(kind, name, shapes[name], seed=7, rows=30_000))
        for name, kind in module.operations()["sample"].noise.items()
    )
    with torch.no_grad():
        x = module.sample(pixel, order)["x"].flatten(1)
    assert x.sum(1).unique().tolist() == [1]
    assert torch.equal(x[:, :3].argmax(1), order.argmax(1))
    assert stats.chisquare(x[:, :3].sum(0)).pvalue > 1e-3


@torch.no_grad()
@pytest.mark.parametrize("network", NETWORKS)
def test_without_noise_each_pixel_is_its_likelier_value_given_those_before_it(network):
    module = bent(network)
    shapes, function = module.shapes(), module.operations()["sample"]
    x = function.call(**{name: torch.zeros(3, *shapes[name]) for name in function.inputs})["x"]
    logits = module.network(module._scaled(x.flatten(1)))[:, 0]
    assert torch.equal(x.flatten(1), (logits > 0).float())
    assert torch.equal(x[1:], x[:1].expand(2, 3, 3))
