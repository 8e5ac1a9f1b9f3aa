"""Golden draws of discrete values stand when rounding moves them, and an operation is tried on all that it takes."""

import numpy as np
import pytest
import torch

from tests.training.conftest import EXAMPLES, LABELS, MEMBERS, build, build_member, examples
from training.errors import ExportError
from training.families.autoregressive import Autoregressive
from training.families.vae import VAE
from training.family import Function, one_hot
from training.likelihoods import DiscretizedLogistic
from training.networks import beside
from training.trial import Trial

DISCRETE = [name for name, member in MEMBERS.items() if EXAMPLES[member.likelihood].support != "real"]


def move(family, golden, random):
    """By up to 0.01; where noise is spread over many levels that lie close together, by a hundredth of a level."""
    uniform = random.uniform(-0.01, 0.01, golden.inputs["pixel"].shape).astype(np.float32)
    likelihood = getattr(getattr(family, "decoder", family), "likelihood", None)
    if not isinstance(likelihood, DiscretizedLogistic):
        return uniform
    with torch.no_grad():
        _, scale = likelihood._location_and_scale(parameters(family, golden))
    return uniform / scale.numpy().reshape(uniform.shape)


def parameters(family, golden):
    """Those that x was drawn by: of its code, or of the x that it became itself."""
    told = golden.inputs | golden.outputs
    if "z" not in told:
        return family.network(family._scaled(torch.from_numpy(told["x"]).flatten(1)))[:, 0]
    condition = one_hot(torch.from_numpy(told["label"]), family.classes) if family.classes else None
    return family.decoder.network(beside(torch.from_numpy(told["z"]), condition))


@pytest.mark.parametrize("member", DISCRETE)
def test_golden_draws_stand_when_the_noise_moves(exports, member):
    family, export_, exported = exports(member)
    random = np.random.default_rng(1)
    for name in {"decode", "sample", "complete"} & set(export_.golden):
        golden = export_.golden[name]
        for _ in range(50):
            moved = {"pixel": golden.inputs["pixel"] + move(family, golden, random)}
            np.testing.assert_array_equal(exported.run(name, golden.inputs | moved)["x"], golden.outputs["x"])


SMALL = {"widths": [4]}


@pytest.mark.parametrize(
    ("kind", "options", "name"),
    [
        (VAE, {"latent": 2, "encoder": SMALL, "decoder": SMALL}, "decode"),
        (Autoregressive, {"network": SMALL}, "complete"),
    ],
)
@pytest.mark.parametrize(
    ("likelihood", "high", "shape"),
    [("binomial", 255, (28, 28)), ("bernoulli", 1, (64, 64)), ("discretized_logistic", 255, (28, 28))],
)
def test_golden_draws_of_many_values_are_found_and_stand(kind, options, name, likelihood, high, shape):
    example = EXAMPLES[likelihood].model_copy(update={"range": (0, high)})
    torch.manual_seed(0)
    family = kind(kind.Options.model_validate({"likelihood": likelihood} | options), example, shape).eval()
    trial = Trial(family, name, family.operations()[name], np.zeros((1, *shape)))
    golden = trial.golden_rows(2, 1)
    assert golden.outputs["x"].shape == (2, *shape)
    assert len(np.unique(golden.outputs["x"])) > min(high, 20)
    random = np.random.default_rng(1)
    for _ in range(5):
        moved = {"pixel": golden.inputs["pixel"] + move(family, golden, random)}
        np.testing.assert_array_equal(trial.compute(golden.inputs | moved)["x"], golden.outputs["x"])


def test_model_whose_draws_all_hang_by_a_hair_is_refused():
    family = build("autoencoder", "binomial")
    trial = Trial(
        family, "decode", Function(lambda z, pixel: {"x": (1e6 * pixel[..., 0]).round()}, {"pixel": "gumbel"}), None
    )
    with pytest.raises(ExportError, match=r"decode: no draw of x stands when the noise moves by a little"):
        trial.golden_rows(4, 1)


@pytest.mark.parametrize("member", MEMBERS)
def test_every_label_is_tried(member):
    family = build_member(member)
    for name, function in family.operations().items():
        inputs = Trial(family, name, function, examples(MEMBERS[member].likelihood)).inputs(7, 1)
        assert ("label" in inputs) == MEMBERS[member].conditional
        if "label" in inputs:
            assert inputs["label"].dtype == np.int64
            assert set(inputs["label"]) == set(range(len(LABELS)))
