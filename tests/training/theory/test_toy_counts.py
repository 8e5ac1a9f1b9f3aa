"""Counts of ten seeds are those that the bundles tell."""

from types import SimpleNamespace

import pytest

from models.provenance import Figure
from training.theory.toy_counts import claims_of, counts, told_of


class Shelf:
    """A repository of bundles of which nothing is known but the modes that each seed found."""

    def __init__(self, **modes):
        self.modes = {name.replace("_", "-"): found for name, found in modes.items()}

    def versions(self, name):
        return (1, 2) if name in self.modes else ()

    def read(self, name, version):
        assert version == 2
        first, *others = self.modes[name]
        figures = {"modes": figure(first), "high_quality": figure(90.0)}
        told = {"modes": tuple(others), "high_quality": tuple(90.0 for _ in others)} if others else {}
        provenance = SimpleNamespace(figures=figures, other_seeds=told)
        return SimpleNamespace(manifest=SimpleNamespace(provenance=provenance))


def figure(value):
    return Figure(value=value, unit="", split="samples", examples=2500)


def counted(gan, wgan):
    return counts(Shelf(gan_ring=gan, gan_grid=[20.0], wgan_gp_ring=wgan))


def test_counts_are_means_over_the_seeds_of_a_recipe():
    found = counted([6.0, 8.0] * 5, [8.0] * 10)
    assert set(found) == {"gan-ring", "wgan-gp-ring"}
    assert found["gan-ring"] == (10, 7.0, pytest.approx((10 / 9 / 10) ** 0.5), 90.0)
    assert "gan-ring finds 7.00 of 8 modes" in told_of(found)
    assert "wgan-gp-ring finds 8.00 of 8 modes, 90.0 %" in told_of(found)


def test_more_modes_of_ten_seeds_hold():
    claims = claims_of(counted([6.0, 8.0] * 5, [8.0] * 10))
    assert [(claim.expected, claim.measured, claim.holds) for claim in claims] == [
        (10, 10, True),
        (10, 10, True),
        (7.0, 8.0, True),
    ]


def test_fewer_modes_and_fewer_seeds_than_stated_are_noticed():
    claims = claims_of(counted([8.0] * 10, [5.0, 5.0, 6.0]))
    assert [claim.holds for claim in claims] == [True, False, False]


@pytest.mark.parametrize("others", [{}, {"wgan_gp_ring": [8.0]}])
def test_without_bundles_of_several_seeds_nothing_is_claimed_and_that_is_said(others):
    missing = counts(Shelf(gan_ring=[8.0] * 10, **others))
    assert claims_of(missing) == []
    assert "missing" in told_of(missing)
