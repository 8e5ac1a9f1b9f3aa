"""What the fixed point gives is what going dimension by dimension gives, in fewer steps; each row for itself."""

import pytest
import torch
from torch.nn import functional

from models import noise
from tests.training.conftest import MEMBERS, build_member, examples
from tests.training.networks.test_masked import places
from training import ancestral
from training.likelihoods import Gaussian

AUTOREGRESSIVE = [name for name, member in MEMBERS.items() if member.family == "autoregressive"]


def bent(member):
    """A model in which what comes next hangs strongly on what there is."""
    module = build_member(member).eval()
    for parameter in module.network.parameters():
        parameter.data *= 3 if parameter.dim() > 1 else 1
    return module


def drawn(module, name, rows, **asked):
    """The noise of an operation, as the service draws it."""
    kind, shapes = module.operations()[name].noise, module.shapes()
    return {
        tensor: torch.from_numpy(noise.draw(kind[tensor], tensor, shapes[tensor], rows=rows, **{"seed": 3} | asked))
        for tensor in kind
    }


def one_by_one(module, pixel, start, kept, order):
    """The dimensions of the order in turn, each drawn by parameters that are computed anew."""
    x, pixel = torch.where(kept, start, 0.0).flatten(1), pixel.flatten(1, len(module.shape))
    for dimension in places(module.network, x.shape[1])[order].argsort():
        parameters = module.network(module._scaled(x))[:, order]
        free = ~kept.flatten(1)[:, dimension]
        x[free, dimension] = module.likelihood.draw(parameters, pixel)[free, dimension]
    return x.view(start.shape)


@torch.no_grad()
@pytest.mark.parametrize("member", AUTOREGRESSIVE)
@pytest.mark.parametrize("temperature", [1.0, 0.0])
def test_sample_is_what_dimension_by_dimension_gives(member, temperature):
    module = bent(member)
    rows, orders = 40, module.network.orders
    pixel = drawn(module, "sample", rows, temperature=temperature)["pixel"]
    nothing = torch.zeros(rows, *module.shape)
    for order in range(orders):
        expected = one_by_one(module, pixel, nothing, nothing > 0, order)
        if orders > 1:
            x = module.sample(pixel, torch.eye(orders)[order].expand(rows, -1))["x"]
        else:
            x = module.complete(nothing, nothing, pixel)["x"]
        _assert_same(module, x, expected)
        assert temperature == 0 or (_one_look(module, pixel, order) != x).any()


@torch.no_grad()
@pytest.mark.parametrize("member", [name for name in AUTOREGRESSIVE if name != "autoregressive-mixture"])
def test_complete_is_what_dimension_by_dimension_gives_and_keeps_bit_for_bit(member):
    module, x = bent(member), torch.from_numpy(examples(MEMBERS[member].likelihood, rows=40)).float()
    mask = (torch.rand(x.shape, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    pixel = drawn(module, "complete", 40)["pixel"]
    x.view(-1)[x.view(-1) == 0] = -0.0
    completed = module.complete(x, mask, pixel)["x"]
    _assert_same(module, completed, one_by_one(module, pixel, x, mask > 0, 0))
    kept = mask > 0
    assert completed[kept].numpy().tobytes() == x[kept].numpy().tobytes()
    assert (completed[~kept] != x[~kept]).any()


def _one_look(module, pixel, order):
    """What is drawn where all is taken for 0: as far as a single step comes."""
    x = torch.zeros(len(pixel), *module.shape).flatten(1)
    parameters = module.network(module._scaled(x))[:, order]
    return module.likelihood.draw(parameters, pixel.flatten(1, len(module.shape))).view(-1, *module.shape)


def _assert_same(module, x, expected):
    if isinstance(module.likelihood, Gaussian):
        torch.testing.assert_close(x, expected, rtol=1e-5, atol=1e-5)
    else:
        assert torch.equal(x, expected)


class Counted:
    """A `draw`, and which parts the rows were at in each of its calls."""

    def __init__(self, draw):
        self.draw, self.parts = draw, []

    def __call__(self, x, part, memory):
        self.parts.append(part.tolist())
        drawn, taken = self.draw(x, part.unsqueeze(1))
        return drawn, taken, memory


def sample(draw, parts, start):
    return ancestral.sample(draw, parts, start, torch.zeros(len(start), 1)).tolist()


def opposites(parts):
    """A draw of the opposite of the dimension before, 1 at first, in so many parts one behind the other."""

    def draw(x, part):
        return 1 - functional.pad(x[:, :-1], (1, 0)), torch.arange(x.shape[1]) * parts // x.shape[1] == part

    return draw


@pytest.mark.parametrize("parts", [1, 2, 3, 6])
def test_at_worst_there_are_as_many_steps_as_dimensions_and_parts(parts):
    """Where each part begins with a 1, a step puts but one dimension right, and one more sees that all are."""
    draw = Counted(opposites(parts))
    assert sample(draw, parts, torch.zeros(2, 12)) == [[1, 0] * 6] * 2
    assert len(draw.parts) == 12 + parts


@pytest.mark.parametrize(("start", "calls"), [(0.0, 2), (1.0, 1)])
def test_two_steps_are_enough_where_nothing_hangs_on_anything(start, calls):
    draw = Counted(lambda x, part: (torch.ones_like(x), x >= 0))
    assert sample(draw, 1, torch.full((3, 12), start)) == [[1] * 12] * 3
    assert len(draw.parts) == calls


def test_draws_that_never_settle_end_all_the_same():
    draw = Counted(lambda x, part: (1 - x, x >= 0))
    sample(draw, 1, torch.zeros(3, 12))
    assert len(draw.parts) == 13


def test_each_row_goes_on_to_its_next_part_as_soon_as_it_can():
    """In the first all stands as it is, a step a part; in the second it takes five steps a part."""

    def draw(x, part):
        drawn, taken = opposites(3)(x, part)
        return drawn, taken & torch.tensor([[False], [True]])

    counted = Counted(draw)
    assert sample(counted, 3, torch.zeros(2, 12)) == [[0] * 12, [1, 0] * 6]
    assert counted.parts == [[min(step, 2), step // 5] for step in range(15)]
