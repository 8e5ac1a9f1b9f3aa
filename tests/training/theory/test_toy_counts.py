"""Counts of ten seeds are those of their table."""

import json

import pytest

from training.theory.toy_counts import claims_of, counts, told_of


def rows(recipe, modes):
    return [{"recipe": recipe, "seed": seed, "modes": found, "high_quality": 90.0} for seed, found in enumerate(modes)]


@pytest.fixture
def counted(tmp_path):
    """counted(gan, wgan): the counts by a table of the modes of each seed, among rows of another recipe."""

    def make(gan, wgan):
        table = tmp_path / "gans.json"
        table.write_text(json.dumps(rows("gan-ring", gan) + rows("gan-grid", [20.0]) + rows("wgan-gp-ring", wgan)))
        return counts(table)

    return make


def test_counts_are_means_over_the_seeds_of_a_recipe(counted):
    found = counted([6.0, 8.0] * 5, [8.0] * 10)
    assert set(found) == {"gan-ring", "wgan-gp-ring"}
    assert found["gan-ring"] == (10, 7.0, pytest.approx((10 / 9 / 10) ** 0.5), 90.0)
    assert "gan-ring finds 7.00 of 8 modes" in told_of(found)
    assert "wgan-gp-ring finds 8.00 of 8 modes, 90.0 %" in told_of(found)


def test_more_modes_of_ten_seeds_hold(counted):
    claims = claims_of(counted([6.0, 8.0] * 5, [8.0] * 10))
    assert [(claim.expected, claim.measured, claim.holds) for claim in claims] == [
        (10, 10, True),
        (10, 10, True),
        (7.0, 8.0, True),
    ]


def test_fewer_modes_and_fewer_seeds_than_stated_are_noticed(counted):
    claims = claims_of(counted([8.0] * 10, [5.0, 5.0, 6.0]))
    assert [claim.holds for claim in claims] == [True, False, False]


def test_without_the_table_nothing_is_claimed_and_that_is_said(tmp_path):
    missing = counts(tmp_path / "gans.json")
    assert claims_of(missing) == []
    assert "missing" in told_of(missing)
