"""Each verb answers what the tiny bundle's formulas say, for the noise of the seed that was asked for."""

import numpy as np
import pytest

from models import noise
from tests import tiny_bundle

SEED = 11
X = np.array([[[0, 1], [1, 0]], [[1, 1], [0, 0]], [[0, 0], [0, 1]], [[1, 1], [1, 1]], [[0, 0], [0, 0]]], np.float32)
Z = np.array([[0, 0], [1, -0.5], [-1.5, 2], [0.25, 3], [-2, -2]], np.float32)
MASK = np.array([[[1, 1], [0, 0]]] * 5, np.float32)
LABELS = [0, 1, 1, 0, 1]


def drawn(kind, name, shape, temperature=1.0, index=0, rows=5):
    return noise.draw(kind, name, shape, seed=SEED, index=index, rows=rows, temperature=temperature).astype(np.float64)


def on(logits, temperature=0.0, **place):
    return logits + drawn("logistic", "pixel", (2, 2), temperature, rows=len(logits), **place) > 0


def close(found, expected):
    assert found.shape == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("temperature", [0, 0.5, 1, 2])
@pytest.mark.parametrize("index", [0, 3])
async def test_sample_decodes_normal_codes(service, temperature, index):
    place = {"temperature": temperature, "index": index}
    answer = await service.ask("sample", num_samples=5, seed=SEED, outputs=["x", "z", "mean"], **place)
    z = drawn("normal", "z", (2,), **place)
    logits = tiny_bundle.logits(z)
    assert (answer["z"] == z).all()
    close(answer["mean"], 1 / (1 + np.exp(-logits)))
    assert (answer["x"] == on(logits, **place)).all()


async def test_sample_is_one_row_at_temperature_one_by_default(service):
    assert (await service.ask("sample", seed=SEED))["z"] == pytest.approx(drawn("normal", "z", (2,), rows=1))


@pytest.mark.parametrize("temperature", [None, 0, 1, 0.5])
async def test_encode_moves_from_the_posterior_mean_by_temperature_times_sigma(service, temperature):
    given = {} if temperature is None else {"temperature": temperature}
    answer = await service.ask("encode", x=X.tolist(), seed=SEED, **given)
    mean, log_variance = tiny_bundle.posterior(X)
    close(answer["z"], mean + np.exp(log_variance / 2) * drawn("normal", "epsilon", (2,), temperature or 0))
    close(answer["mean"], mean)
    close(answer["log_variance"], log_variance)
    close(answer["kl_per_dimension"], (mean**2 + np.exp(log_variance) - 1 - log_variance) / 2)


@pytest.mark.parametrize("temperature", [None, 1])
async def test_decode_thresholds_the_logits_of_the_code(service, temperature):
    given = {} if temperature is None else {"temperature": temperature}
    answer = await service.ask("decode", z=Z.tolist(), seed=SEED, **given)
    assert (answer["x"] == on(tiny_bundle.logits(Z), temperature or 0)).all()
    assert {"z", "mean"}.isdisjoint(answer)


async def test_reconstruct_decodes_the_posterior_mean(service):
    answer = await service.ask("reconstruct", x=X.tolist(), outputs=["x", "z", "mean"])
    z = tiny_bundle.posterior(X)[0]
    close(answer["z"], z)
    close(answer["mean"], 1 / (1 + np.exp(-tiny_bundle.logits(z))))
    assert (answer["x"] == (tiny_bundle.logits(z) > 0)).all()


ENDS = [
    ({"z": [1, -0.5]}, [1, -0.5]),
    ({"x": X[1].tolist()}, tiny_bundle.posterior(X)[0][1]),
    ({"seed": SEED, "index": 4}, drawn("normal", "z", (2,), index=4, rows=1)[0]),
]


@pytest.mark.parametrize(("end", "code"), ENDS)
async def test_interpolation_goes_from_code_to_code(service, end, code):
    answer = await service.ask("interpolate", start={"z": [2, 2]}, end=end, path="linear", steps=5)
    expected = np.linspace([2, 2], code, 5)
    close(answer["z"], expected)
    assert (answer["x"] == (tiny_bundle.logits(expected) > 0)).all()


async def test_interpolation_is_spherical_in_eight_steps_by_default(service):
    z = (await service.ask("interpolate", start={"z": [3, 0]}, end={"z": [0, 3]}))["z"]
    angle = np.linspace(0, np.pi / 2, 8)
    close(z, 3 * np.stack([np.cos(angle), np.sin(angle)], axis=1))


@pytest.mark.parametrize(("end", "code"), ENDS)
@pytest.mark.parametrize("dimension", [0, 1])
async def test_traversal_sets_one_dimension(service, end, code, dimension):
    answer = await service.ask("traverse", origin=end, dimension=dimension, values=[-3, 0.5, 3])
    expected = np.array([code] * 3, np.float64)
    expected[:, dimension] = [-3, 0.5, 3]
    close(answer["z"], expected)
    assert (answer["x"] == (tiny_bundle.logits(expected) > 0)).all()


async def test_complete_keeps_what_the_mask_keeps(service):
    answer = await service.ask("complete", x=X.tolist(), mask=MASK.tolist(), seed=SEED)
    free = on(tiny_bundle.logits(np.zeros((5, 2))), temperature=1)
    assert (answer["x"] == np.where(MASK == 1, X, free)).all()


async def test_criticize_says_how_real_and_in_what_kind_of_number(service):
    answer = await service.ask("criticize", x=X.tolist())
    close(answer["realness"], X.reshape(5, 4) @ tiny_bundle.CRITIC)
    assert answer["realness_kind"] == "logit"


@pytest.mark.parametrize(("label", "each"), [(1, [1] * 5), (LABELS, LABELS)])
async def test_label_is_one_for_all_or_one_a_row(service, label, each):
    each = np.array(each)
    sampled = await service.ask("sample", "labelled", num_samples=5, seed=SEED, label=label, outputs=["mean", "z"])
    close(sampled["mean"], 1 / (1 + np.exp(-tiny_bundle.logits(sampled["z"], each))))
    close((await service.ask("encode", "labelled", x=X.tolist(), label=label))["z"], tiny_bundle.posterior(X, each)[0])
    rebuilt = await service.ask("reconstruct", "labelled", x=X.tolist(), label=label)
    assert (rebuilt["x"] == (tiny_bundle.logits(tiny_bundle.posterior(X, each)[0], each) > 0)).all()


async def test_ends_of_a_path_take_the_label_too(service):
    answer = await service.ask("traverse", "labelled", origin={"x": X[1].tolist()}, dimension=0, values=[0], label=1)
    assert answer["z"][0, 1] == pytest.approx(tiny_bundle.posterior(X, 1)[0][1, 1])
    assert (answer["x"] == (tiny_bundle.logits(answer["z"], 1) > 0)).all()
