"""What the shipped vae-mnist draws at a fixed code is what its mean says, pixel by pixel."""

import numpy as np
import pytest
from scipy import stats

from tests.integration.conftest import newest_shipped
from training.exported import Exported

DRAWS, BLOCK, SEED = 100_000, 2_000, 20


@pytest.fixture(scope="module")
def counted():
    """The probability of each pixel, and how often it was 1 in all draws; through the bundle's graph, in process."""
    bundle = newest_shipped("vae-mnist")
    exported = Exported(bundle.manifest.operations, bundle.files)
    z = exported.draw("sample", index=0, rows=1, seed=SEED)["z"]
    codes, ones = np.repeat(z, BLOCK, axis=0), 0
    for index in range(0, DRAWS, BLOCK):
        noise = exported.draw("decode", index=index, rows=BLOCK, seed=SEED)
        decoded = exported.run("decode", {"z": codes, **noise})
        ones = ones + decoded["x"].sum(axis=0, dtype=np.int64)
    return decoded["mean"][0].astype(np.float64).ravel(), ones.ravel()


def test_pixels_are_within_four_standard_errors_of_their_probability(counted):
    """Of 784 pixels one may be further off; a pixel seen less than once has no normal error, but one whole draw."""
    p, ones = counted
    within = np.abs(ones - DRAWS * p) <= 4 * np.sqrt(DRAWS * p * (1 - p)) + 1
    assert p.size == 784
    assert within.sum() >= 783


def test_deviations_of_all_pixels_together_are_those_of_independent_draws(counted):
    """Of the pixels with a normal error: the greatest below Bonferroni's quantile at 1e-3, the mean square near 1."""
    p, ones = counted
    variance = DRAWS * p * (1 - p)
    normal = variance > 100
    z = (ones - DRAWS * p)[normal] / np.sqrt(variance[normal])
    assert len(z) > 100
    assert np.abs(z).max() < stats.norm.isf(1e-3 / 2 / len(z))
    assert abs((z**2).mean() - 1) < 4 * np.sqrt(2 / len(z))
