"""What every family promises: it learns, it says what it can do and what not, and its tensors have their shapes."""

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric

from models.manifest import OPERATIONS, SAMPLED, SIGNATURES
from tests.training.conftest import EXAMPLES, MEMBERS, build_member, data
from training.adversarial import Adversarial
from training.families import FAMILIES
from training.family import Turn

VALIDATED = [name for name, member in MEMBERS.items() if not issubclass(FAMILIES[member.family], Adversarial)]


@pytest.mark.parametrize("member", VALIDATED)
def test_a_few_steps_reduce_the_loss(member):
    module, (x, label) = build_member(member), data(member)
    optimizers = module.optimizers(0.01, 0.0)
    fabric = Fabric(accelerator="cpu", devices=1)
    with torch.no_grad():
        before = module.validation_loss(x, label).mean()
    for step in range(30):
        losses = module.train_step(x, label, Turn(step, fabric, optimizers))
    with torch.no_grad():
        after = module.validation_loss(x, label)
    assert after.shape == (len(x),)
    assert after.mean() < before - 0.5
    assert all(loss.shape == () for loss in losses.values())


@pytest.mark.parametrize("member", MEMBERS)
def test_every_weight_learns(member):
    module, (x, label) = build_member(member), data(member)
    before = {name: value.clone() for name, value in module.named_parameters()}
    optimizers = module.optimizers(0.01, 0.0)
    for step in range(2):  # what a layer of zeros hides in the first step is seen in the second
        module.train_step(x, label, Turn(step, Fabric(accelerator="cpu", devices=1), optimizers))
    still = {name for name, value in module.named_parameters() if torch.equal(value, before[name])}
    last = [name for name in before if name.startswith("critic.") and name.endswith("bias")][-1:]
    # what a Wasserstein critic adds to all its values, no difference of them shows
    assert still <= ({*last} if MEMBERS[member].family == "wgan" else set())


@pytest.mark.parametrize("member", MEMBERS)
def test_each_operation_is_present_or_absent_with_a_reason(member):
    module = build_member(member)
    assert set(module.operations()) | set(module.absent) == set(OPERATIONS)
    assert not set(module.operations()) & set(module.absent)
    assert all(len(reason.split()) >= 5 and not reason.endswith(".") for reason in module.absent.values())


@pytest.mark.parametrize("member", MEMBERS)
def test_every_tensor_has_the_shape_that_the_family_says(member):
    module = build_member(member).eval()
    shapes, rows, samples = module.shapes(), 3, 5
    for name, function in module.operations().items():
        inputs = {}
        for tensor in function.inputs:
            axes = (rows, samples) if name in SAMPLED and tensor in function.noise else (rows,)
            given = tensor == "label"
            shape = () if given else shapes.get(f"{name}.{tensor}", shapes.get(tensor))
            inputs[tensor] = torch.zeros(*axes, *shape, dtype=torch.int64 if given else torch.float32)
        label = ["label"] if MEMBERS[member].conditional else []
        assert set(inputs) == {*SIGNATURES[name].inputs, *function.noise, *function.fill, *label}
        outputs = function.call(**inputs)
        assert set(SIGNATURES[name].outputs) <= set(outputs)
        for tensor, value in outputs.items():
            axes = (rows, samples if function.noise else 1) if name in SAMPLED else (rows,)
            assert value.shape == (*axes, *shapes.get(f"{name}.{tensor}", shapes.get(tensor))), (name, tensor)


@pytest.mark.parametrize("member", MEMBERS)
def test_draws_are_in_the_support_of_the_data(member):
    module = build_member(member).eval()
    example, shapes, operations = EXAMPLES[MEMBERS[member].likelihood], module.shapes(), module.operations()
    drawing = operations.get("decode", operations.get("sample"))
    generator = torch.Generator().manual_seed(0)
    given = {name: 9 * torch.randn(50, *shapes[name], generator=generator) for name in drawing.inputs if name in shapes}
    given |= {name: torch.full_like(given[name], value) for name, value in drawing.fill.items()}
    given |= {"label": data(member, rows=50)[1]} if MEMBERS[member].conditional else {}
    x = drawing.call(**given)["x"]
    if example.range is not None:
        low, high = example.range
        assert set(x.unique().tolist()) <= set(np.arange(low, high + 1))
        assert len(x.unique()) > 1
        assert {x.min().item(), x.max().item()} == {low, high} or isinstance(module, Adversarial)
