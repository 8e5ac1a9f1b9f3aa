"""A recipe is read whole, or refused with the place of what is wrong."""

from pathlib import Path

import pytest

from training import recipe
from training.errors import RecipeError
from training.families import FAMILIES

SHIPPED = sorted((Path(recipe.__file__).parent / "recipes").glob("*.toml"))
WHOLE = """
name = "tiny"
title = "A test"
family = "vae"
[data]
source = "digits"
[training]
epochs = 1
"""


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_recipe_is_named_after_its_file_and_fits_its_family(path):
    shipped = recipe.read(path)
    assert shipped.name == path.stem
    assert FAMILIES[shipped.family].Options.model_validate(shipped.model)


def test_what_a_recipe_leaves_out_has_a_default(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_text(WHOLE)
    read = recipe.read(path)
    assert (read.seed, read.model, read.training.batch_size) == (0, {}, 128)
    assert read.evaluation.samples == (1, 10, 100, 1000, 5000)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("family", "famly", "family: Field required"),
        ('title = "A test"', "title = 1", "title: Input should be a valid string"),
        ("[data]", "color = 1\n[data]", "color: Extra inputs are not permitted"),
        ("epochs = 1", "epochs = 1\nepoch = 2", "training.epoch: Extra inputs are not permitted"),
        ("epochs = 1", "epochs = 0", "training.epochs: Input should be greater than or equal to 1"),
        ("epochs = 1", "epochs = 1\nlearning_rate = inf", "training.learning_rate: Input should be a finite number"),
        ("epochs = 1", "epochs = 1\nema = 1.0", "training.ema: Input should be less than 1"),
        ("epochs = 1", 'epochs = 1\nprecision = "16"', "training.precision: Input should be '32-true'"),
        ('"tiny"', '"Tiny Model"', "name: String should match pattern"),
        ('"digits"', '"digits"\nsupport = "grey"', "data.support: Input should be 'binary'"),
        ("epochs = 1", "epochs = ", "tiny.toml is not TOML: .*line 8"),
    ],
)
def test_wrong_key_is_refused_with_its_place(tmp_path, old, new, complaint):
    path = tmp_path / "tiny.toml"
    path.write_text(WHOLE.replace(old, new))
    with pytest.raises(RecipeError, match=complaint):
        recipe.read(path)


def test_file_that_is_not_text_is_refused(tmp_path):
    path = tmp_path / "tiny.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(RecipeError, match=r"tiny.toml is not TOML"):
        recipe.read(path)


def test_headline_of_a_bound_that_is_not_measured_is_refused(tmp_path):
    path = tmp_path / "headline.toml"
    asked = '\n[evaluation]\nsamples = [1, 10]\n[headline]\nfigure = "bound_{}"\n'
    for samples in (1, 10):
        path.write_text(WHOLE + asked.format(samples))
        assert recipe.read(path).headline.figure == f"bound_{samples}"
    path.write_text(WHOLE + asked.format(100))
    with pytest.raises(RecipeError, match="the headline bound_100 is not measured"):
        recipe.read(path)


def test_missing_file_is_refused(tmp_path):
    with pytest.raises(RecipeError, match=r"none.toml cannot be read: No such file"):
        recipe.read(tmp_path / "none.toml")
