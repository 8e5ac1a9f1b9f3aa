"""What the course states of GANs and Wasserstein GANs holds, at small sizes."""

import re
from functools import cache
from importlib import import_module

import numpy as np
import pytest
import torch

from tests.training.theory.test_toy_counts import Shelf
from training.theory import mode_collapse

SIZES = {
    "value_function": {"rows": 500},
    "optimal_discriminator": {"steps": 350},
    "generator_criterion": {},
    "generator_gradients": {},
    "parallel_lines": {"rows": 20},
    "lipschitz_critics": {"rows": 12},
    "gradient_penalty": {"steps": 250},
    "spectral_norm": {"steps": 300},
    "clipping": {"steps": 50},
    "saturation": {"steps": 60},
    "mode_collapse": {"seeds": (0,), "steps": 150, "times": 4},
}


def run(name, **sizes):
    """The experiment, of a critic whose spectral norms are iterated a little less often."""
    torch.set_num_threads(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.families.wgan._ITERATIONS", 300)
        return import_module(f"training.theory.{name}").experiment(**sizes)


@cache
def made(name, **sizes):
    """The experiment of those sizes, its small ones if none are given."""
    return run(name, **(sizes or SIZES[name]))


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


def test_the_bundles_are_asked_for_ten_seeds_and_may_be_missing(monkeypatch):
    monkeypatch.setattr(mode_collapse, "_run", lambda *_: mode_collapse._Run(np.zeros((1, 3, 2), np.float32)))
    shelves = (Shelf(gan_ring=[6.0, 8.0] * 5, wgan_gp_ring=[8.0] * 10), Shelf())
    asked, without = (run("mode_collapse", times=1, repository=shelf) for shelf in shelves)
    assert [claim.expected for claim in asked.claims[len(without.claims) :]] == [10, 10, 7.0]
    assert "gan-ring finds 7.00 of 8 modes" in asked.told
    assert "missing" in without.told
