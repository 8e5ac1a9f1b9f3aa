"""Real data of any scale: learned in units of its own, scored and drawn in the data's."""

import math

import numpy as np
import pytest
import torch
from torch.distributions import Independent, Normal

from models.manifest import Example
from tests.training.conftest import EXAMPLES, HIDDEN, OPTIONS, ROWS, build, examples
from training.build import build as build_by
from training.datasets.splits import Dataset
from training.evaluation.terms import score_terms
from training.export import export
from training.exported import Exported
from training.recipe import Recipe
from training.trainer import fit

CENTER = torch.tensor([1000.0, -3.0, 0.0, 5.0, 1e6, 0.5, 2.0])
SPREAD = torch.tensor([50.0, 1.0, 1e-3, 7.0, 1e4, 0.1, 1.0])
LOG_SCALE = torch.linspace(-2, 1, 7)
X = CENTER + SPREAD * torch.from_numpy(examples("gaussian", rows=6))
CODES = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))


def standardized(family="vae"):
    module = build(family, "gaussian").eval()
    module.standardize(CENTER, SPREAD)
    getattr(module, "decoder", module).likelihood.log_scale.data = LOG_SCALE.clone()
    return module


@torch.no_grad()
@pytest.mark.parametrize("family", ["autoencoder", "vae"])
def test_density_is_a_normal_around_the_center_in_units_of_the_spread(family):
    decoder = standardized(family).decoder
    normal = Normal(CENTER + SPREAD * decoder.network(CODES), SPREAD * LOG_SCALE.exp())
    torch.testing.assert_close(decoder.log_prob(X, CODES), Independent(normal, 1).log_prob(X), rtol=1e-4, atol=1e-3)


@torch.no_grad()
@pytest.mark.parametrize("family", ["autoencoder", "vae"])
def test_draws_and_mean_come_back_in_the_units_of_the_data(family):
    module = standardized(family)
    noise = torch.randn(6, 7, generator=torch.Generator().manual_seed(1))
    mean = CENTER + SPREAD * module.decoder.network(CODES)
    decoded = module.decode(CODES, noise)
    torch.testing.assert_close(decoded["mean"], mean)
    torch.testing.assert_close(decoded["x"], mean + SPREAD * LOG_SCALE.exp() * noise)


@torch.no_grad()
@pytest.mark.parametrize("family", ["autoencoder", "vae"])
def test_encoder_sees_standardized_values(family):
    plain = build(family, "gaussian").eval().encoder((X - CENTER) / SPREAD)
    torch.testing.assert_close(standardized(family).encoder(X), plain)


@torch.no_grad()
def test_autoregressive_density_is_a_chain_of_normals_in_units_of_the_spread():
    module = standardized("autoregressive")
    mean = CENTER + SPREAD * module.network((X - CENTER) / SPREAD)[:, 0]
    chain = Independent(Normal(mean, SPREAD * LOG_SCALE.exp()), 1)
    torch.testing.assert_close(module.score(X)["log_weight"][:, 0], chain.log_prob(X), rtol=1e-4, atol=1e-3)


@torch.no_grad()
def test_autoregressive_draws_are_as_far_from_their_own_means_as_the_noise_says():
    module, noise = standardized("autoregressive"), torch.randn(6, 7, generator=torch.Generator().manual_seed(1))
    x = module.complete(torch.zeros(6, 7), torch.zeros(6, 7), noise)["x"]
    mean = CENTER + SPREAD * module.network((x - CENTER) / SPREAD)[:, 0]
    torch.testing.assert_close(x, mean + SPREAD * LOG_SCALE.exp() * noise)


@torch.no_grad()
def test_log_scale_is_bounded_below():
    decoder = standardized().decoder
    decoder.likelihood.log_scale.data.fill_(-100)
    at_the_mean = decoder.log_prob(CENTER + SPREAD * decoder.network(CODES), CODES)
    highest = 7 * (7 - 0.5 * math.log(2 * math.pi)) - SPREAD.log().sum().item()
    assert at_the_mean.tolist() == pytest.approx([highest] * 6, abs=1e-3)


def recipe(likelihood, family="vae", **training):
    content = {"name": "tiny", "title": "A test", "family": family, "data": {"source": "rows"}}
    settings = {"epochs": 1, "batch_size": 16, "threads": 1} | training
    model = {"likelihood": likelihood} | OPTIONS[family]
    return Recipe.model_validate(content | {"model": model, "training": settings})


@pytest.mark.parametrize("likelihood", [name for name in EXAMPLES if EXAMPLES[name].range])
def test_data_with_a_range_is_scaled_by_its_range_alone(likelihood):
    rows = examples(likelihood)
    encoder = build_by(recipe(likelihood), Dataset("rows", EXAMPLES[likelihood], rows, rows, rows)).encoder
    assert set(encoder.center.tolist()) == {0.0}
    assert set(encoder.spread.tolist()) == {EXAMPLES[likelihood].range[1]}


@pytest.mark.parametrize("likelihood", [name for name in EXAMPLES if EXAMPLES[name].range])
@pytest.mark.parametrize(("network", "ends"), [(HIDDEN, [0, 1]), (ROWS, [-1, 1])])
def test_an_autoregressive_model_scales_a_range_as_its_network_takes_it(likelihood, network, ends):
    module, (low, high) = build("autoregressive", likelihood, network=network), EXAMPLES[likelihood].range
    given = torch.tensor([low, high]).repeat(math.prod(module.shape), 1).T
    assert module._scaled(given).unique(dim=1).flatten().tolist() == ends


def great_data(rows=400):
    """Three independent columns of mean 1000 and standard deviation 50, and one that is always 1000.1."""
    x = np.random.default_rng(0).normal(1000, 50, size=(3 * rows, 4))
    x[:, 3] = 1000.1
    return Dataset("great", Example(kind="vector", support="real"), *np.split(x.astype(np.float32), 3))


def test_data_without_a_range_is_standardized_by_its_training_split():
    data = great_data()
    vae, chain = (build_by(recipe("gaussian", family), data) for family in ("vae", "autoregressive"))
    for part in (vae.encoder, vae.decoder.likelihood, chain, chain.likelihood):
        assert part.center.tolist() == pytest.approx(data.train.mean(axis=0, dtype=np.float64), rel=1e-6)
        assert part.spread.tolist() == pytest.approx([*data.train[:, :3].std(axis=0, dtype=np.float64), 1], rel=1e-6)


@pytest.mark.parametrize(("family", "term"), [("vae", "elbo"), ("autoregressive", "log_prob")])
def test_great_data_are_scored_near_their_entropy_through_the_exported_graph(tmp_path, family, term):
    data, asked = great_data(), recipe("gaussian", family, epochs=3)
    module = build_by(asked, data)
    fit(module, data, asked, tmp_path / "checkpoint.pt", "cpu")
    made = export(module, data.validation)
    scored = score_terms(Exported(made.operations, made.graphs), data.examples("test"), (8,))[term]
    entropy = 3 * 0.5 * math.log(2 * math.pi * math.e * 50**2)
    constant = -0.5 * math.log(2 * math.pi)  # of the column that is known, while its log scale is near 0
    assert scored.mean() == pytest.approx(constant - entropy, abs=0.5)
