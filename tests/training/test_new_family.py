"""A new family is one file (here flow.py) and one entry in FAMILIES: all else takes it as it is.

docs/adding-a-family.md shows that file, and the recipe that is followed here.
"""

import asyncio

import numpy as np
import pytest
import torch

from models import noise
from models.repository import read_bundle
from tests.pages import PAGES, files
from tests.service.conftest import serving
from tests.training.conftest import examples
from tests.training.flow import Flow
from training import pipeline
from training.distributions import standard_normal_log_prob
from training.families import FAMILIES

ROWS, SEED = 6, 3
X = 50 + 3 * examples("gaussian", rows=400)


@pytest.fixture(scope="module")
def flow(tmp_path_factory):
    """The folder of its bundle, and the family that was published, in double precision."""
    root, kept = tmp_path_factory.mktemp("flow"), []
    recipe, source = root / "flow.toml", root / "rows.npy"
    np.save(source, X)
    recipe.write_text(files(PAGES["docs/adding-a-family.md"].read_text())["flow.toml"].replace("rows.npy", str(source)))
    publish = pipeline.publish
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(FAMILIES, "flow", Flow)
        patch.setattr(pipeline, "publish", lambda family, *rest: kept.append(family) or publish(family, *rest))
        return pipeline.train(recipe, root / "bundles", root / "runs", device="cpu"), kept[0].double()


@pytest.fixture(scope="module")
def served(flow):
    """What the service answers: samples, their scores, scores of data, and what it is refused."""

    async def ask():
        async with serving(flow[0].parents[1]) as service:
            drawn = await service.ask("sample", "flow", num_samples=ROWS, seed=SEED)
            scored = await service.ask("score", "flow", x=drawn["x"].tolist(), samples=4)
            data = await service.ask("score", "flow", x=X[:100].tolist())
            refused = await service.post("encode", "flow", x=X[:1].tolist())
            return drawn["x"], scored, data, refused

    return asyncio.run(ask())


def change_of_variables(family):
    """x of the noise that the seed names, and log p(x) by the determinant of its Jacobian in that noise."""
    base = torch.from_numpy(noise.draw("normal", "base", X.shape[1:], seed=SEED, rows=ROWS)).double()
    with torch.no_grad():
        jacobian = torch.vmap(torch.func.jacrev(lambda row: family.sample(row[None])["x"][0]))(base)
        return family.sample(base)["x"], standard_normal_log_prob(base) - jacobian.det().abs().log()


def test_samples_are_what_torch_makes_of_the_seeds_noise(flow, served):
    expected, _ = change_of_variables(flow[1])
    np.testing.assert_allclose(served[0], expected, rtol=1e-4, atol=1e-3)


def test_score_of_a_sample_is_the_density_of_its_noise_over_the_volume_it_is_stretched_to(flow, served):
    _, log_prob = change_of_variables(flow[1])
    scored = served[1]
    assert (scored["kind"], scored["samples"]) == ("exact", 1)
    assert [row["elbo"] for row in scored["rows"]] == pytest.approx(log_prob.tolist(), abs=1e-3)
    assert {row["importance_weighted_bound_std_error"] for row in scored["rows"]} == {0}


def test_it_has_learned_more_than_the_units_of_the_data(served):
    units = torch.from_numpy((X - X.mean(axis=0)) / X.std(axis=0))
    normal = standard_normal_log_prob(units).mean().item() - np.log(X.std(axis=0)).sum()
    assert np.mean([row["elbo"] for row in served[2]["rows"]]) > normal + 1


def test_what_it_lacks_is_refused_with_its_own_reason(served):
    refused = served[3]
    assert refused.status_code == 422
    assert "a flow's code is as large as x" in refused.json()["detail"]
    assert refused.json()["operations"] == ["sample", "score"]


def test_its_bundle_has_figures_a_calibration_and_a_card(flow):
    bundle = read_bundle(flow[0])
    assert set(bundle.manifest.provenance.figures) == {"log_prob", "membership_auc"}
    assert bundle.manifest.calibration is not None
    assert "log p(x) itself, no bound" in bundle.files["card.md"].decode()
