"""What the course states of GANs and Wasserstein GANs holds, at small sizes."""

import json
import re
from functools import cache
from importlib import import_module

import pytest
import torch

SIZES = {
    "value_function": {"rows": 500},
    "optimal_discriminator": {"steps": 400},
    "generator_criterion": {},
    "generator_gradients": {},
    "parallel_lines": {"rows": 20},
    "lipschitz_critics": {"rows": 12},
    "gradient_penalty": {"steps": 250},
    "spectral_norm": {"steps": 300},
    "clipping": {"steps": 50},
    "saturation": {"steps": 60},
    "mode_collapse": {"seeds": (0,), "steps": 150, "times": 5},
}
METRICS = re.compile("W1|ground cost|distance")


def run(name, **sizes):
    torch.set_num_threads(1)
    return import_module(f"training.theory.{name}").experiment(**sizes)


@cache
def made(name):
    return run(name, **SIZES[name])


@pytest.mark.parametrize("name", SIZES)
def test_every_claim_holds(name):
    assert [claim for claim in made(name).claims if not claim.holds] == []


@pytest.mark.parametrize("name", SIZES)
def test_an_experiment_has_claims_of_different_words_a_story_and_figures(name):
    experiment = made(name)
    statements = [claim.statement for claim in experiment.claims]
    assert len(set(statements)) == len(statements) > 3
    assert len(re.findall(r"[.:;] |\.$", experiment.told)) >= 2
    assert all(figure.startswith("<svg ") for figure in experiment.figures)
    assert experiment.figures


def test_names_of_figures_are_not_shared():
    """Else the ids of one would be those of another on the same page."""
    ids = [set(re.findall(r'id="([^"]+)"', figure)) for name in SIZES for figure in made(name).figures]
    assert sum(map(len, ids)) == len(set.union(*ids))


def rows(recipe, modes):
    return [{"recipe": recipe, "seed": seed, "modes": found, "high_quality": 90.0} for seed, found in enumerate(modes)]


def of_the_table(tmp_path, gan, wgan):
    """The claims that a table adds to those of a short training, and what is told of it."""
    table = tmp_path / "gans.json"
    table.write_text(json.dumps(rows("gan-ring", gan) + rows("wgan-gp-ring", wgan) + rows("gan-grid", [20.0])))
    short = {"seeds": (0,), "steps": 2, "times": 1}
    experiment = run("mode_collapse", table=table, **short)
    live = run("mode_collapse", table=tmp_path / "none.json", **short)
    return experiment.claims[len(live.claims) :], experiment.told, live.told


def test_ten_seeds_are_counted_by_their_table(tmp_path):
    claims, told, _ = of_the_table(tmp_path, [6.0, 8.0] * 5, [8.0] * 10)
    assert [(claim.expected, claim.measured, claim.holds) for claim in claims] == [
        (10, 10, True),
        (10, 10, True),
        (7.0, 8.0, True),
    ]
    assert claims[-1].std_error == pytest.approx((10 / 9 / 10) ** 0.5)
    assert "gan-ring finds 7.00 of 8 modes" in told
    assert "wgan-gp-ring finds 8.00 of 8 modes" in told


def test_fewer_modes_and_fewer_seeds_than_stated_are_noticed(tmp_path):
    claims, _, _ = of_the_table(tmp_path, [8.0] * 10, [5.0, 5.0, 6.0])
    assert [claim.holds for claim in claims] == [True, False, False]


def test_without_the_table_it_is_said_that_the_counts_are_missing(tmp_path):
    claims, told, without = of_the_table(tmp_path, [8.0] * 10, [8.0] * 10)
    assert len(claims) == 3
    assert "missing" in without
    assert "missing" not in told
