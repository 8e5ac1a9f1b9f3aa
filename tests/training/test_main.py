"""reparam-train says in one line what was published or what is wrong."""

import sys

import numpy as np
import pytest

from training import recipe
from training.__main__ import main


@pytest.fixture
def reparam_train(monkeypatch, capsys):
    """reparam_train(*arguments): the exit status, standard output and standard error."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["reparam-train", *map(str, arguments)])
        return main(), *capsys.readouterr()

    return call


def test_missing_recipe_is_one_line_and_status_1(reparam_train, tmp_path):
    status, out, error = reparam_train(tmp_path / "none.toml")
    assert (status, out) == (1, "")
    assert error == f"reparam-train: {tmp_path / 'none.toml'} cannot be read: No such file or directory\n"


def test_figures_of_a_bundle_are_printed_with_their_errors(reparam_train, trained):
    status, out, _ = reparam_train("--evaluate", trained("vae-bernoulli").folder)
    assert status == 0
    named = [line.split()[0] for line in out.splitlines()]
    assert named == [
        "elbo",
        "reconstruction",
        "kl",
        "bound_1",
        "bound_8",
        "active_units",
        "posterior_sd",
        "squared_error",
        "membership_auc",
    ]
    assert "±" in out.splitlines()[0]
    assert out.splitlines()[0].endswith("nats (test, 12 examples)")


def test_recipe_is_followed_to_a_published_bundle(reparam_train, trained, tmp_path):
    followed = trained("autoencoder-gaussian").recipe
    places = ("--repository", tmp_path / "bundles", "--runs", tmp_path / "runs", "--device", "cpu")
    status, out, _ = reparam_train(followed, *places)
    assert (status, out) == (0, f"published {tmp_path / 'bundles' / 'autoencoder-gaussian' / '1'}\n")


@pytest.mark.parametrize("alike", [True, False])
def test_scores_that_tell_the_training_examples_are_warned_of(reparam_train, trained, tmp_path, alike):
    drawn = (np.random.default_rng(0).random((3, 200, 12)) < 0.2).astype(np.uint8)
    np.savez(tmp_path / "own.npz", train=drawn[0], validation=drawn[1], test=drawn[2] if alike else 1 - drawn[2])
    made = trained("autoregressive-bernoulli").recipe
    text = made.read_text().replace(recipe.read(made).data.source, str(tmp_path / "own.npz"))
    (tmp_path / "own.toml").write_text(text.replace("epochs = 2", "epochs = 20"))
    places = ("--repository", tmp_path / "bundles", "--runs", tmp_path / "runs", "--device", "cpu")
    status, _, error = reparam_train(tmp_path / "own.toml", *places)
    assert status == 0
    assert ("its scores tell training examples from others (membership_auc " in error) == (not alike)


@pytest.mark.parametrize("arguments", [[], ["a.toml", "--evaluate", "b"], ["a.toml", "--device", "abacus"]])
def test_wrong_usage_is_status_2(reparam_train, arguments):
    with pytest.raises(SystemExit, match="2"):
        reparam_train(*arguments)
