"""Figures are printed to the digits that their errors allow."""

import pytest

from models.provenance import Figure
from training.report.figures import judged, measured


def figure(value, std_error=None, unit="nats"):
    return Figure(value=value, std_error=std_error, unit=unit, split="test", examples=100)


@pytest.fixture
def judge(opened):
    """judge(figures, headline): a tiny model that has these figures."""

    def make(figures, headline=None, **options):
        manifest = opened(**options)[0]
        recipe = manifest.provenance.recipe | ({"headline": headline} if headline else {})
        made = manifest.provenance.model_copy(update={"figures": figures, "recipe": recipe})
        return judged(manifest.model_copy(update={"provenance": made}))

    return make


@pytest.mark.parametrize(
    ("value", "std_error", "printed"),
    [
        (-86.978, 0.2321, ("-86.98", "0.23")),
        (1.21738, 0.0503, ("1.217", "0.050")),
        (0.0173842, 0.0000677, ("0.017384", "0.000068")),
        (1234.4, 12.3, ("1234", "12")),
        (12345.6, 230, ("12346", "230")),
        (20, 0, ("20", "")),
        (0.123456, None, ("0.12346", "")),
    ],
)
def test_a_value_ends_at_the_second_digit_of_its_error(value, std_error, printed):
    assert measured(figure(value, std_error)) == printed


def test_a_bound_is_compared_as_an_nll_with_what_others_published(judge):
    figures = {"elbo": figure(-91.6, 0.25), "bound_5000": figure(-86.978, 0.2321), "bound_50": figure(-88, 0.24)}
    headline = {"figure": "bound_50", "published": -88.71, "source": "Someone 2016"}
    assert judge(figures, headline) == ("88.00 ± 0.24 nats (IW-50)", "88.71 (Someone 2016)")


def test_without_a_headline_the_tightest_bound_counts(judge):
    figures = {name: figure(-int(name[6:])) for name in ("bound_10", "bound_1000", "bound_200")}
    assert judge({"elbo": figure(-1)} | figures) == ("1000 nats (IW-1000)", "-")


def test_bound_of_a_few_examples_does_not_count_before_one_of_all(judge):
    few = figure(-50).model_copy(update={"examples": 5})
    assert judge({"bound_10": figure(-60), "bound_5000": few}) == ("60 nats (IW-10)", "-")


def test_without_a_bound_the_first_figure_counts(judge):
    figures = {"squared_error": figure(1.21738, 0.0503, "a dimension"), "other": figure(1)}
    assert judge(figures) == ("1.217 ± 0.050 a dimension (squared error)", "-")


def test_a_headline_that_was_not_measured_does_not_count(judge):
    assert judge({"elbo": figure(-2)}, {"figure": "bound_50"}) == ("-2 nats (elbo)", "-")


def test_a_score_without_noise_is_no_bound(judge):
    figures = {"other": figure(1), "log_prob": figure(-80.5, 0.31)}
    headline = {"figure": "log_prob", "published": -79.2, "source": "Someone"}
    assert judge(figures, exact=True) == ("80.50 ± 0.31 nats (exact)", "-")
    assert judge(figures, headline, exact=True).published == "79.2 (Someone)"


def test_a_model_without_figures_has_a_dash(judge):
    assert judge({}) == ("-", "-")
