"""The score endpoint and the evaluation of training measure the same thing on the same graphs."""

import numpy as np
import pytest

from models import bounds
from models.repository import SHIPPED, Repository
from tests.live_server import live_server
from training.datasets.splits import Examples
from training.evaluation.terms import SEED, score_terms
from training.exported import Exported

SAMPLES = 64


@pytest.fixture(scope="module", params=["vae-digits", "vae-mnist"])
def name(request):
    return request.param


@pytest.fixture(scope="module")
def exported(name):
    repository = Repository(SHIPPED)
    bundle = repository.read(name, repository.versions(name)[-1])
    return Exported(bundle.manifest.operations, bundle.files)


@pytest.fixture(scope="module")
def images(exported):
    """The model's own samples: no data set is needed."""
    return exported.run("sample", exported.draw("sample", index=0, rows=100))["x"]


@pytest.fixture(scope="module")
def score(name, images):
    """The endpoint's rows for all images, by seed."""
    with live_server() as server, server.client() as client:
        server.wait_until_ready()

        def ask(seed):
            body = {"x": images.tolist(), "samples": SAMPLES, "seed": seed}
            return client.post(f"/v2/models/{name}/score", json=body).raise_for_status().json()["rows"]

        yield ask


def test_endpoint_gives_the_evaluation_image_by_image(score, images, exported):
    terms = score_terms(exported, Examples(images), (SAMPLES,))
    rows = score(SEED)
    assert [row["elbo"] for row in rows] == pytest.approx(terms["elbo"], abs=1e-3)
    assert [row["importance_weighted_bound"] for row in rows] == pytest.approx(terms[f"bound_{SAMPLES}"], abs=1e-3)


def test_other_noise_agrees_within_its_standard_errors(score, images, exported):
    rows = score(SEED + 1)
    noise = exported.draw("score", index=0, rows=len(images), samples=range(SAMPLES), seed=SEED)
    elbo, std_error = bounds.mean(exported.run("score", {"x": images, **noise})["elbo"])
    difference = np.array([row["elbo"] for row in rows]) - elbo
    error = np.hypot([row["elbo_std_error"] for row in rows], std_error)
    assert (np.abs(difference) <= 4 * error).all()
    assert abs(difference.mean()) <= 2 * np.sqrt((error**2).sum()) / len(images)
    assert np.abs(difference).max() > 0
