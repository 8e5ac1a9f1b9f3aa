"""What every family promises: it learns, it says what it can do and what not, and its tensors have their shapes."""

import inspect

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from models.manifest import OPERATIONS, SAMPLED, SIGNATURES
from tests.training.conftest import EXAMPLES, KINDS, build, examples
from training.families import FAMILIES
from training.family import Turn


@pytest.mark.parametrize(("family", "likelihood"), KINDS)
def test_a_few_steps_reduce_the_loss(family, likelihood):
    module = build(family, likelihood)
    x = torch.from_numpy(examples(likelihood)).float()
    optimizers = module.optimizers(0.01, 0.0)
    fabric = Fabric(accelerator="cpu", devices=1)
    with torch.no_grad():
        before = module.validation_loss(x).mean()
    for step in range(30):
        losses = module.train_step(x, Turn(step, fabric, optimizers))
    with torch.no_grad():
        after = module.validation_loss(x)
    assert after.shape == (len(x),)
    assert after.mean() < before - 0.5
    assert all(loss.shape == () for loss in losses.values())


@pytest.mark.parametrize("family", FAMILIES)
def test_each_operation_is_present_or_absent_with_a_reason(family):
    module = build(family, "bernoulli")
    assert set(module.operations()) | set(module.absent) == set(OPERATIONS)
    assert not set(module.operations()) & set(module.absent)
    assert all(len(reason.split()) >= 5 and not reason.endswith(".") for reason in module.absent.values())


@pytest.mark.parametrize(("family", "likelihood"), KINDS)
def test_every_tensor_has_the_shape_that_the_family_says(family, likelihood):
    module = build(family, likelihood).eval()
    shapes = module.shapes()
    rows, samples = 3, 5
    for name, function in module.operations().items():
        inputs = {}
        for tensor in inspect.signature(function.call).parameters:
            axes = (rows, samples) if name in SAMPLED and tensor in function.noise else (rows,)
            inputs[tensor] = torch.zeros(*axes, *shapes.get(f"{name}.{tensor}", shapes.get(tensor)))
        assert set(inputs) == {*SIGNATURES[name].inputs, *function.noise, *function.fill}
        outputs = function.call(**inputs)
        assert set(SIGNATURES[name].outputs) <= set(outputs)
        for tensor, value in outputs.items():
            axes = (rows, samples) if name in SAMPLED else (rows,)
            assert value.shape == (*axes, *shapes.get(f"{name}.{tensor}", shapes.get(tensor))), (name, tensor)


@pytest.mark.parametrize(("family", "likelihood"), KINDS)
def test_draws_are_in_the_support_of_the_data(family, likelihood):
    module = build(family, likelihood).eval()
    example, shapes = EXAMPLES[likelihood], module.shapes()
    generator = torch.Generator().manual_seed(0)
    x = module.decode(*(9 * torch.randn(50, *shapes[name], generator=generator) for name in ("z", "pixel")))["x"]
    if example.range is not None:
        low, high = example.range
        assert set(x.unique().tolist()) <= set(np.arange(low, high + 1))
        assert {x.min().item(), x.max().item()} == {low, high}
