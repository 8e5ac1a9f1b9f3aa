"""A network over rows: a pixel knows of all rows above its own, and in its row of what is left of it."""

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from tests.training.conftest import EXAMPLES
from tests.training.conftest import ROWS as OPTIONS
from tests.training.networks.test_masked import reached
from training.errors import RecipeError
from training.families.autoregressive import Autoregressive, AutoregressiveOptions
from training.networks.masked import Masked
from training.networks.rows import RowNetwork, Rows

SHAPES = [(5, 4), (3, 6), (7, 1), (1, 6), (1, 1)]
SHAPE = HEIGHT, COLUMNS = 5, 4
REACHES = {
    "through the window": {"above": 1, "beside": 5, "dilations": [1]},
    "along the row": {"above": 2, "beside": 1, "dilations": [1, 2, 1]},
    "beyond the image": {"above": 9, "beside": 9, "dilations": [2, 9]},
}


def network(shape=SHAPE, parameters=2, **options):
    torch.manual_seed(0)
    return RowNetwork(Rows.model_validate(OPTIONS | options), shape, parameters).eval()


def images(rows, seed=0):
    return torch.randn(rows, HEIGHT * COLUMNS, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parameters", [1, 2])
@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_a_pixel_reaches_all_that_come_after_it_and_no_other(shape, parameters, reach):
    pixels = shape[0] * shape[1]
    (order,) = reached(network(shape, parameters, **reach), pixels)
    assert torch.equal(order, torch.ones(pixels, pixels, dtype=torch.bool).triu(1))


@torch.no_grad()
def test_rows_of_a_batch_do_not_meet():
    x = images(3)
    torch.testing.assert_close(network()(x)[1:2], network()(x[1:2]))


@torch.no_grad()
@pytest.mark.parametrize("behind", [(0, 0, 0), (0, 1, 3)])
def test_row_after_row_gives_what_all_at_once_give(behind):
    """Each example as many rows behind the first, each row twice: first with other pixels in it, and always below."""
    rows, x, behind = network(), images(3), torch.tensor(behind)
    whole = rows(x).unflatten(2, (2, -1))[:, 0]
    memory, given = rows.remember(torch.ones(3, 1)), torch.zeros_like(whole)
    for step in range(HEIGHT + int(behind.max())):
        number = (step - behind).clamp(0, HEIGHT - 1)
        for known in (0, 1):
            done = torch.arange(HEIGHT * COLUMNS) // COLUMNS < number[:, None] + known
            parameters, chosen, memory = rows.part(torch.where(done, x, images(3, seed=step + 1)), number, memory)
            assert chosen.view(3, HEIGHT, COLUMNS).all(2).int().argmax(1).tolist() == number.tolist()
            assert chosen.sum(1).tolist() == [COLUMNS] * 3
        given = torch.where(chosen[:, None], parameters.unflatten(1, (2, -1)), given)
    torch.testing.assert_close(given, whole, rtol=1e-5, atol=1e-6)
    assert (whole.std(0) > 1e-4).sum() == 2 * (HEIGHT * COLUMNS - 1)  # all but the first pixel hang on others


@torch.no_grad()
def test_dropout_is_on_in_training_alone():
    dropping, x = network(dropout=0.5), images(2)
    assert torch.equal(dropping(x), network(dropout=0.0)(x))
    assert not torch.equal(dropping.train()(x), network().train()(x))


@torch.no_grad()
def test_parameters_lie_one_block_behind_the_other():
    rows = network()
    rows.head[-1].weight.zero_()
    rows.head[-1].bias.copy_(torch.tensor([2.0, 3.0]))
    assert rows(images(1)).tolist() == [[[2.0] * 20 + [3.0] * 20]]


@pytest.mark.parametrize(
    ("asked", "kind", "complaint"),
    [
        ({"width": 30, "heads": 4}, "rows", "width is a multiple of heads; 30 is none of 4"),
        ({"depth": 3}, "rows", "Extra inputs are not permitted"),
        ({"width": 32, "orders": 2}, "rows", "Extra inputs are not permitted"),
        ({"layers": 0}, "rows", "greater than or equal to 1"),
        ({"dropout": 1}, "rows", "less than 1"),
        ({"widths": [8], "heads": 2}, "masked", "Extra inputs are not permitted"),
        ({"widths": []}, "masked", "at least 1 item"),
    ],
)
def test_what_is_not_an_option_of_the_network_asked_for_is_refused(asked, kind, complaint):
    with pytest.raises(ValidationError, match=complaint) as refused:
        AutoregressiveOptions.model_validate({"likelihood": "bernoulli", "network": asked})
    assert refused.value.errors()[0]["loc"][:2] == ("network", kind)


@pytest.mark.parametrize(("asked", "kind"), [({}, Rows), ({"layers": 2}, Rows), ({"widths": [3]}, Masked)])
def test_widths_ask_for_a_masked_network_and_all_else_for_one_over_rows(asked, kind):
    options = TypeAdapter(AutoregressiveOptions).validate_python({"likelihood": "bernoulli", "network": asked})
    assert type(options.network) is kind
    assert AutoregressiveOptions.model_validate(options.model_dump(mode="json")) == options
    assert AutoregressiveOptions(likelihood="bernoulli", network=options.network) == options


def test_vectors_are_refused_with_the_way_out():
    options = AutoregressiveOptions.model_validate({"likelihood": "gaussian", "network": OPTIONS})
    with pytest.raises(RecipeError, match=r"is for images, not for data of shape \[7\]; take widths"):
        Autoregressive(options, EXAMPLES["gaussian"], (7,))
