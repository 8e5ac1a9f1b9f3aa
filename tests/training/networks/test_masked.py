"""A masked network knows of a dimension only what comes before it, in each of its orders."""

import pytest
import torch
from pydantic import ValidationError

from training.networks.masked import MADE, Masked

DIMENSIONS = 7
KINDS = {
    "one layer": {"widths": [60]},
    "deep": {"widths": [60, 50, 40]},
    "residual": {"widths": [60, 60, 60], "residual": True},
}


def made(dimensions=DIMENSIONS, parameters=1, seed=0, **options):
    torch.manual_seed(seed)
    return MADE(Masked.model_validate({"widths": [60], "activation": "tanh"} | options), dimensions, parameters).eval()


@torch.no_grad()
def reached(network, dimensions):
    """(orders, D, D): whether another value of the first dimension changes any parameter of the second."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randint(0, 2, (dimensions,), generator=generator).float().repeat(dimensions, 1)
    flipped = x + torch.eye(dimensions) * (1 - 2 * x)
    changed = network(flipped) != network(x)
    return changed.unflatten(2, (-1, dimensions)).any(2).transpose(0, 1)


def places(network, dimensions=DIMENSIONS):
    """The place of each dimension in each order, (orders, D): how many it knows of."""
    return reached(network, dimensions).sum(1)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", [1, 2])
@pytest.mark.parametrize("orders", [1, 4])
def test_a_dimension_reaches_all_that_come_after_it_and_no_other(kind, parameters, orders):
    network = made(parameters=parameters, orders=orders, **KINDS[kind])
    for order, place in zip(reached(network, DIMENSIONS), places(network), strict=True):
        assert sorted(place.tolist()) == list(range(DIMENSIONS))
        assert torch.equal(order, place[:, None] < place)


@pytest.mark.parametrize("widths", [[1], [3], [3, 5], [9, 2]])
def test_a_narrow_network_lets_nothing_back_either(widths):
    order = reached(made(widths=widths, parameters=2), DIMENSIONS)[0]
    assert not order.tril().any()
    assert order.any()


def test_a_single_dimension_knows_of_nothing():
    assert places(made(dimensions=1), dimensions=1).tolist() == [[0]]


def test_a_single_order_is_that_of_the_data():
    assert places(made(orders=1)).tolist() == [list(range(DIMENSIONS))]


def test_orders_of_a_mixture_differ_and_go_by_twos_one_the_reverse_of_the_other():
    orders = places(made(orders=5)).tolist()
    assert len({tuple(order) for order in orders}) == 5
    for order, reverse in [orders[:2], orders[2:4]]:
        assert [DIMENSIONS - 1 - place for place in order] == reverse


@torch.no_grad()
def test_an_order_and_its_reverse_use_different_weights_and_together_all():
    """With one unit a degree, and no bias to tell units apart."""
    network = made(orders=2, widths=[DIMENSIONS - 1])
    used = []
    for order in range(2):
        network.zero_grad()
        with torch.enable_grad():
            network(torch.randn(20, DIMENSIONS))[:, order].square().sum().backward()
        used.append([layer.weight.grad != 0 for layer in (network.first, network.last)])
    for of_order, of_reverse in zip(*used, strict=True):
        assert (of_order ^ of_reverse).all()


def test_orders_are_the_same_each_time():
    assert torch.equal(places(made(orders=5)), places(made(orders=5, seed=1, widths=[40, 40])))


def test_fewer_orders_are_the_first_of_more():
    assert torch.equal(places(made(orders=3)), places(made(orders=5))[:3])


@torch.no_grad()
@pytest.mark.parametrize("layer", ["first", "last"])
def test_biases_of_an_order_are_its_own(layer):
    network, x = made(orders=3), torch.randn(4, DIMENSIONS)
    before = network(x)
    bias = getattr(network, layer).bias
    bias.view(3, -1)[1] += 1
    after = network(x)
    assert torch.equal(after[:, [0, 2]], before[:, [0, 2]])
    assert (after[:, 1] != before[:, 1]).any()


@torch.no_grad()
def test_a_part_is_all_dimensions_in_the_order_that_each_row_is_told():
    network, x = made(orders=3, parameters=2), torch.randn(4, DIMENSIONS)
    order = torch.tensor([2, 0, 1, 2])
    told = network.remember(torch.eye(3)[order])
    parameters, chosen, _ = network.part(x, torch.zeros(4, dtype=torch.int64), told)
    assert torch.equal(parameters, network(x)[torch.arange(4), order])
    assert chosen.shape == x.shape
    assert chosen.all()


@torch.no_grad()
def test_parameters_lie_one_block_behind_the_other():
    network = made(dimensions=2, parameters=2)
    network.last.weight.zero_()
    network.last.bias.copy_(torch.arange(4.0).view_as(network.last.bias))
    assert network(torch.randn(1, 2)).tolist() == [[[0, 1, 2, 3]]]


@torch.no_grad()
def test_a_residual_layer_adds_to_what_it_is_given():
    plain, residual = made(widths=[60]), made(widths=[60, 60], residual=True)
    residual.load_state_dict(plain.state_dict(), strict=False)
    residual.hidden[0].weight.zero_()
    residual.hidden[0].bias.zero_()
    x = torch.randn(4, DIMENSIONS)
    assert torch.equal(residual(x), plain(x))


def test_only_matrices_have_more_than_one_axis():
    """For they alone decay and are rounded."""
    weights = dict(made(widths=[60, 60], orders=3).named_parameters())
    assert {name: weight.dim() for name, weight in weights.items()} == {
        name: 2 if name.endswith("weight") else 1 for name in weights
    }


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"widths": []}, "widths"),
        ({"widths": [0]}, "widths"),
        ({"orders": 0}, "orders"),
        ({"dropout": 1}, "dropout"),
        ({"heads": 2}, "heads"),
    ],
)
def test_what_makes_no_sense_is_refused(asked, place):
    with pytest.raises(ValidationError) as refused:
        Masked.model_validate({"widths": [8]} | asked)
    assert refused.value.errors()[0]["loc"][0] == place
