"""A recipe asks for one kind of network or the other; a condition stands beside what each is given."""

import pytest
import torch
from pydantic import TypeAdapter, ValidationError

from training.errors import RecipeError
from training.networks import (
    Convolutional,
    Hidden,
    Network,
    at_least_single,
    beside,
    decoder_network,
    encoder_network,
)
from training.networks.convolutional import ConvolutionalDecoder, ConvolutionalEncoder

NETWORKS = TypeAdapter(Network)
KINDS = {"mlp": Hidden(widths=(5,)), "convolutional": Convolutional(channels=(4, 6), blocks=(1, 0))}


@pytest.mark.parametrize(
    ("asked", "kind"),
    [
        ({}, Hidden),
        ({"widths": [3, 4]}, Hidden),
        ({"widths": [], "residual": True, "dropout": 0.1}, Hidden),
        ({"channels": [3, 4], "blocks": [0, 2]}, Convolutional),
        ({"blocks": [1], "channels": [8], "activation": "elu"}, Convolutional),
    ],
)
def test_channels_ask_for_a_convolutional_network_and_all_else_for_an_mlp(asked, kind):
    network = NETWORKS.validate_python(asked)
    assert type(network) is kind
    assert NETWORKS.validate_python(network) is network
    assert NETWORKS.validate_python(NETWORKS.dump_python(network, mode="json")) == network


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"width": [3]}, ("mlp", "width")),
        ({"blocks": [1]}, ("mlp", "blocks")),
        ({"channels": [3], "blocks": [1], "widths": [3]}, ("convolutional", "widths")),
        ({"channels": [3], "blocks": [1], "residual": True}, ("convolutional", "residual")),
        ({"channels": [], "blocks": []}, ("convolutional", "channels")),
        ({"channels": [0], "blocks": [1]}, ("convolutional", "channels", 0)),
        ({"widths": [0]}, ("mlp", "widths", 0)),
        ({"activation": "sine"}, ("mlp", "activation")),
        ({"dropout": 1}, ("mlp", "dropout")),
    ],
)
def test_what_is_not_an_option_of_the_network_asked_for_is_refused(asked, place):
    with pytest.raises(ValidationError) as refused:
        NETWORKS.validate_python(asked)
    assert refused.value.errors()[0]["loc"] == place


@pytest.mark.parametrize("asked", [5, [512, 512], "mlp"])
def test_what_is_no_table_is_refused(asked):
    with pytest.raises(ValidationError):
        NETWORKS.validate_python(asked)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("condition", [0, 3])
def test_encoder_takes_x_and_its_condition_to_the_numbers_asked_for(kind, condition):
    network = encoder_network(KINDS[kind], (5, 3), condition, 7)
    assert isinstance(network, ConvolutionalEncoder) == (kind == "convolutional")
    assert network(torch.randn(2, 15 + condition)).shape == (2, 7)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("parameters", [1, 2])
def test_decoder_gives_so_many_flat_blocks(kind, parameters):
    network = decoder_network(KINDS[kind], 4, (5, 3), parameters)
    assert isinstance(network, ConvolutionalDecoder) == (kind == "convolutional")
    assert network(torch.randn(2, 4)).shape == (2, parameters * 15)
    assert network(torch.randn(2, 6, 4)).shape == (2, 6, parameters * 15)


def test_beside_puts_the_rows_condition_behind_every_sample_of_it():
    x = torch.arange(12.0).view(2, 3, 2)
    condition = torch.tensor([[7.0], [8.0]])
    assert beside(x, condition)[1].tolist() == [[6, 7, 8], [8, 9, 8], [10, 11, 8]]
    assert beside(x[:, 0], condition).tolist() == [[0, 1, 7], [6, 7, 8]]
    assert beside(x, None) is x


@pytest.mark.parametrize("make", [encoder_network, decoder_network])
def test_convolutional_network_of_vectors_is_refused(make):
    numbers = ((7,), 0, 4) if make is encoder_network else (4, (7,), 1)
    with pytest.raises(RecipeError, match=r"is for images, not for data of shape \[7\]; take widths"):
        make(KINDS["convolutional"], *numbers)


def test_what_a_network_gives_is_at_least_single_and_double_stays_double():
    given = torch.tensor([1.0, 2.0])
    kinds = {torch.bfloat16: torch.float32, torch.float32: torch.float32, torch.float64: torch.float64}
    assert {kind: at_least_single(given.to(kind)).dtype for kind in kinds} == kinds
