"""What the shipped autoregressive models promise beside what tests/training finds in small ones."""

import numpy as np
import pytest

from tests.integration.conftest import EXACT, newest_shipped, those_that
from tests.loops import mean_steps, saved


@pytest.mark.parametrize("model", sorted(EXACT & {*those_that("complete")}), indirect=True)
def test_sample_goes_on_as_it_was_from_any_number_of_its_rows(model):
    x = model.ask("sample", num_samples=3, seed=5)["x"]
    for height in (0, 1, x.shape[1] // 2, x.shape[1]):
        mask = np.zeros_like(x)
        mask[:, :height] = 1
        completed = model.ask("complete", x=x.tolist(), mask=mask.tolist(), seed=5)
        assert completed["conditioning"] == "exact"
        assert completed["x"].tobytes() == x.tobytes()


@pytest.mark.parametrize("name", sorted(EXACT))
def test_a_draw_takes_far_fewer_evaluations_than_there_are_dimensions(name):
    """At batch 1, in the mean of many draws; the small images of ar-digits leave less to save."""
    bundle = newest_shipped(name)
    assert saved(bundle, mean_steps(bundle, batch=1)) >= (20 if bundle.manifest.shapes["x"] == (28, 28) else 10)
