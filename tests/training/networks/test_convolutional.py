"""Convolutional networks take images of any size, and mix nothing between rows or samples."""

import math

import pytest
import torch
from pydantic import ValidationError

from training.networks.convolutional import Convolutional, ConvolutionalDecoder, ConvolutionalEncoder

SHAPES = [(5, 3), (28, 28), (8, 8), (7, 1), (1, 6), (1, 1), (3, 6, 5), (3, 1, 1)]
OPTIONS = Convolutional(channels=(4, 6, 5), blocks=(1, 0, 2))


def encoder(shape=(5, 3), condition=0, outputs=7, options=OPTIONS):
    torch.manual_seed(0)
    return ConvolutionalEncoder(options, shape, condition, outputs).eval()


def decoder(shape=(5, 3), inputs=4, parameters=1, options=OPTIONS):
    torch.manual_seed(0)
    return ConvolutionalDecoder(options, inputs, shape, parameters).eval()


def count(network):
    return sum(parameter.numel() for parameter in network.parameters())


def reaching(outputs, given):
    """For each output whether it depends on each of what is given; both flat."""
    return torch.autograd.functional.jacobian(outputs, given) != 0


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("condition", [0, 3])
def test_images_of_any_size_are_encoded(shape, condition):
    pixels = math.prod(shape)
    assert encoder(shape, condition)(torch.randn(2, pixels + condition)).shape == (2, 7)


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("parameters", [1, 2])
def test_images_of_any_size_are_decoded(shape, parameters):
    pixels = math.prod(shape)
    assert decoder(shape, parameters=parameters)(torch.randn(2, 4)).shape == (2, parameters * pixels)
    assert decoder(shape, parameters=parameters)(torch.randn(2, 3, 4)).shape == (2, 3, parameters * pixels)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_pixel_and_every_condition_reaches_every_output(shape):
    pixels = math.prod(shape)
    network = encoder(shape, condition=2, outputs=3)
    reached = reaching(lambda x: network(x[None])[0], torch.randn(pixels + 2))
    assert reached.all()


@pytest.mark.parametrize("shape", SHAPES)
def test_every_number_of_the_code_reaches_every_pixel_of_both_parameters(shape):
    network = decoder(shape, parameters=2)
    assert reaching(lambda z: network(z[None])[0], torch.randn(4)).all()


@torch.no_grad()
def test_samples_of_a_code_are_decoded_as_rows_are():
    network, z = decoder(parameters=2), torch.randn(3, 5, 4)
    each = torch.stack([network(z[:, k]) for k in range(5)], dim=1)
    torch.testing.assert_close(network(z), each)


@torch.no_grad()
def test_a_row_is_encoded_and_decoded_as_it_is_alone():
    x, z = torch.randn(3, 15), torch.randn(3, 4)
    torch.testing.assert_close(encoder()(x)[1:2], encoder()(x[1:2]))
    torch.testing.assert_close(decoder()(z)[1:2], decoder()(z[1:2]))


@torch.no_grad()
def test_parameters_lie_one_block_behind_the_other():
    """The four pixels of a 2x2 image come of channels 0..3, then 4..7, of the last convolution: here its bias alone."""
    network = decoder((2, 2), parameters=2, options=Convolutional(channels=(1,), blocks=(0,)))
    last = network.stages[-1][-1].convolution
    last.weight.zero_()
    last.bias.copy_(torch.arange(8.0))
    assert network(torch.randn(1, 4)).tolist() == [[0, 1, 2, 3, 4, 5, 6, 7]]


@torch.no_grad()
def test_pixels_keep_their_places_row_by_row():
    """A convolution that copies the pixel itself, halved: rows 0 and 2, columns 0, 2 and 4 of a 3x5 image."""
    network = encoder((3, 5), outputs=6, options=Convolutional(channels=(1,), blocks=(0,), activation="relu"))
    network.layers[0].weight.copy_(torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    network.layers[0].bias.zero_()
    network.head.weight.copy_(torch.eye(6))
    network.head.bias.zero_()
    assert network(torch.arange(15.0)[None]).tolist() == [[0, 2, 4, 10, 12, 14]]


@torch.no_grad()
def test_image_of_odd_size_is_the_upper_left_of_the_doubled_one():
    network = decoder((3, 3), options=Convolutional(channels=(1,), blocks=(0,), activation="relu"))
    network.head.weight.copy_(torch.eye(4))
    network.head.bias.zero_()
    doubled = network.stages[0][-1].convolution
    doubled.weight.copy_(torch.tensor([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]]))
    doubled.bias.zero_()
    assert network(torch.tensor([[1.0, 2, 3, 4]])).view(3, 3).tolist() == [[1, 1, 2], [1, 1, 2], [3, 3, 4]]


def test_number_of_parameters_is_the_one_counted_by_hand():
    options = Convolutional(channels=(2, 3), blocks=(1, 0))
    down = (1 * 9 + 1) * 2 + (2 * 9 + 1) * 3  # 5x3 to 3x2 to 2x1
    block = 2 * (2 * 9 + 1) * 2
    assert count(encoder(condition=4, outputs=7, options=options)) == down + block + (3 * 2 * 1 + 4 + 1) * 7
    up = (3 * 9 + 1) * 4 * 2 + (2 * 9 + 1) * 4 * 2  # the latter makes two parameters a pixel
    assert count(decoder(inputs=4, parameters=2, options=options)) == (4 + 1) * 3 * 2 * 1 + up + block


@torch.no_grad()
def test_a_block_adds_to_what_it_is_given():
    network = encoder(options=Convolutional(channels=(4,), blocks=(1,)))
    block = network.layers[1]
    block.change[-1].weight.zero_()
    block.change[-1].bias.zero_()
    x = torch.randn(2, 4, 3, 2)
    assert torch.equal(block(x), x)


@torch.no_grad()
def test_depth_neither_blows_up_nor_silences_what_passes():
    deep = Convolutional(channels=(16, 16, 16), blocks=(8, 8, 8))
    code = encoder((28, 28), outputs=50, options=deep)(torch.rand(20, 784))
    image = decoder((28, 28), inputs=50, options=deep)(torch.randn(20, 50))
    assert 0.1 < code.std() < 10
    assert 0.1 < image.std() < 10


@pytest.mark.parametrize("blocks", [(1,), (1, 1, 1)])
def test_blocks_of_another_length_than_channels_are_refused(blocks):
    with pytest.raises(ValidationError, match="channels and blocks are of one length"):
        Convolutional(channels=(2, 3), blocks=blocks)
