"""What the shipped models with an exact likelihood promise beside all others."""

import numpy as np
import pytest

from tests.integration.conftest import EXACT, newest_shipped, those_that
from tests.loops import counted
from training.exported import Exported
from training.families import FAMILIES

COMPLETING = sorted(EXACT & {*those_that("complete")})


@pytest.mark.parametrize("model", sorted(EXACT), indirect=True)
def test_score_is_the_log_probability_itself_whatever_the_samples(model):
    x = model.ask("sample", num_samples=5, seed=1)["x"].tolist()
    one, many = (model.ask("score", x=x, samples=samples, seed=samples) for samples in (1, 1000))
    assert (one["kind"], one["unit"]) == ("exact", "nats")
    assert one["rows"] == many["rows"]
    for row in one["rows"]:
        assert row["elbo"] == row["importance_weighted_bound"]
        assert row["elbo_std_error"] == row["importance_weighted_bound_std_error"] == 0
        assert row["reliable"]


@pytest.mark.parametrize("model", COMPLETING, indirect=True)
def test_sample_goes_on_as_it_was_from_any_number_of_its_rows(model):
    x = model.ask("sample", num_samples=3, seed=5)["x"]
    for height in (0, 1, x.shape[1] // 2, x.shape[1]):
        mask = np.zeros_like(x)
        mask[:, :height] = 1
        completed = model.ask("complete", x=x.tolist(), mask=mask.tolist(), seed=5)
        assert completed["conditioning"] == "exact"
        assert completed["x"].tobytes() == x.tobytes()


@pytest.mark.parametrize("model", COMPLETING, indirect=True)
def test_kept_values_stay_where_they_are_and_the_answer_says_what_was_known_of_them(model):
    x = model.ask("sample", num_samples=3, seed=5)["x"]
    mask = np.random.default_rng(0).integers(0, 2, size=x.shape)
    completed = model.ask("complete", x=x.tolist(), mask=mask.tolist(), seed=6)
    assert completed["conditioning"] == "causal"
    assert (completed["x"] == x)[mask == 1].all()
    assert (completed["x"] != x)[mask == 0].any()


@pytest.mark.parametrize("name", sorted(EXACT))
def test_a_draw_takes_a_twentieth_of_the_evaluations_that_there_are_dimensions(name):
    """Of the whole network, at batch 1 and in the mean of 100 draws; of the models with more than a hundred pixels."""
    bundle = newest_shipped(name)
    manifest = bundle.manifest
    dimensions = int(np.prod(manifest.shapes["x"]))
    sample = manifest.operations["sample"].model_copy(update={"outputs": ("x", "steps")})
    exported = Exported({"sample": sample}, {sample.graph: counted(bundle.files[sample.graph])})
    steps = [exported.run("sample", exported.draw("sample", index=i, rows=1))["steps"] for i in range(100)]
    kind = FAMILIES[manifest.family]
    options = kind.Options.model_validate(manifest.provenance.recipe["model"])
    parts = kind(options, manifest.x, manifest.shapes["x"]).network.parts
    assert max(steps) <= dimensions + parts
    if dimensions > 100:
        assert dimensions >= 20 * np.mean(steps) / parts
