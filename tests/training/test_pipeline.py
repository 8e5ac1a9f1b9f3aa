"""One recipe leads to one published bundle, whole and with figures that can be had again."""

import io

import numpy as np
import pytest
from PIL import Image

from models.manifest import SIGNATURES
from models.repository import Repository, read_bundle
from tests import tiny_bundle
from tests.training.conftest import EXAMPLES, KINDS, SHAPES, examples
from training import pipeline, recipe
from training.errors import DataError, RecipeError, TrainingError
from training.exported import Exported


@pytest.mark.parametrize("kind", KINDS)
def test_recipe_ends_in_a_bundle_that_reads_back(trained, kind):
    made = trained(*kind)
    manifest = Repository(made.repository).read("-".join(kind), 1).manifest
    assert made.folder == made.repository / "-".join(kind) / "1"
    assert manifest.family == kind[0]
    assert manifest.x == EXAMPLES[kind[1]]
    assert manifest.shapes["x"] == SHAPES[kind[1]]
    assert manifest.provenance.recipe == recipe.read(made.recipe).model_dump(mode="json")
    assert (manifest.calibration is not None) == ("score" in manifest.operations)


@pytest.mark.parametrize("kind", KINDS)
def test_every_operation_of_the_bundle_runs_from_its_files_alone(trained, kind):
    bundle = read_bundle(trained(*kind).folder)
    exported = Exported(bundle.manifest.operations, bundle.files)
    known = {"x": examples(kind[1], rows=5).astype(np.float32)}
    known["z"] = exported.run("encode", known | exported.draw("encode", index=0, rows=5))["z"]
    for name, operation in bundle.manifest.operations.items():
        samples = range(2) if name == "score" else None
        data = {tensor: known[tensor] for tensor in SIGNATURES[name].inputs}
        outputs = exported.run(name, data | exported.draw(name, index=0, rows=5, samples=samples))
        assert set(outputs) == set(operation.outputs)
        for tensor, value in outputs.items():
            assert value.shape[1 + (name == "score") :] == bundle.manifest.shape(name, tensor)


@pytest.mark.parametrize("kind", KINDS)
def test_figures_are_had_again_from_the_published_bundle(trained, kind):
    folder = trained(*kind).folder
    figures = read_bundle(folder).manifest.provenance.figures
    assert "squared_error" in figures
    assert ("bound_8" in figures) == (kind[0] == "vae")
    assert pipeline.evaluate_bundle(folder) == figures


@pytest.mark.parametrize("kind", KINDS)
def test_card_has_every_figure_and_images_have_a_picture(trained, kind):
    bundle = read_bundle(trained(*kind).folder)
    card = bundle.files["card.md"].decode()
    for name, figure in bundle.manifest.provenance.figures.items():
        assert f"| {name} | {figure.value:.5g}" in card
    assert ("preview.png" in bundle.files) == (bundle.manifest.x.kind == "image")
    if "preview.png" in bundle.files:
        assert Image.open(io.BytesIO(bundle.files["preview.png"])).width >= 448


def test_nothing_tells_of_the_machine(trained):
    made = trained("vae", "bernoulli")
    places = {str(made.repository), str(pipeline.__file__)}
    bundle = read_bundle(made.folder)
    assert not [place for place in places for content in bundle.files.values() if place.encode() in content]


def test_second_run_publishes_the_next_version(trained):
    made = trained("autoencoder", "gaussian")
    assert not list(made.runs.rglob("autoencoder-gaussian/*"))
    second = pipeline.train(made.recipe, made.repository, made.runs, device="cpu")
    assert Repository(made.repository).versions("autoencoder-gaussian") == (1, 2)
    graphs = [
        {name: (folder / name).read_bytes() for name in ("encode.onnx", "decode.onnx")}
        for folder in (made.folder, second)
    ]
    assert graphs[0] == graphs[1]


def test_other_data_under_the_same_name_is_not_evaluated(trained, tmp_path):
    made = trained("autoencoder", "gaussian")
    source = recipe.read(made.recipe).data.source
    kept = np.load(source)
    np.save(source, kept + 1)
    try:
        with pytest.raises(DataError, match=r"is not the data .* the digests differ"):
            pipeline.evaluate_bundle(made.folder)
    finally:
        np.save(source, kept)


@pytest.fixture
def broken(trained, tmp_path):
    """broken(old, new): the path of a recipe in which something was replaced."""

    def make(old, new):
        path = tmp_path / "broken.toml"
        text = trained("autoencoder", "gaussian").recipe.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    return make


@pytest.mark.parametrize(
    ("old", "new", "error", "complaint"),
    [
        ('"autoencoder"', '"vqvae"', RecipeError, "there is no family vqvae; there are autoencoder, vae"),
        ("latent = 2", "latent = 0", RecipeError, r"\[model\]: latent: Input should be greater than or equal to 1"),
        ("latent = 2", "latent = 2\nbeta = 2.0", RecipeError, r"\[model\]: beta: Extra inputs are not permitted"),
        ('"gaussian"', '"bernoulli"', RecipeError, "bernoulli is for binary data, not real"),
        (".npy", ".csv", DataError, "nor a .npy or .npz file"),
    ],
)
def test_recipe_that_cannot_be_followed_publishes_nothing(broken, tmp_path, old, new, error, complaint):
    with pytest.raises(error, match=complaint):
        pipeline.train(broken(old, new), tmp_path / "bundles", tmp_path / "runs", device="cpu")
    assert not (tmp_path / "bundles").exists()


def test_restart_forgets_the_checkpoint(broken, trained, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "_publish", stop)
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(broken("epochs = 2", "epochs = 1"), tmp_path / "bundles", tmp_path / "runs", device="cpu")
    again = broken("epochs = 2", "epochs = 3")
    with pytest.raises(TrainingError, match="of another recipe"):
        pipeline.train(again, tmp_path / "bundles", tmp_path / "runs", device="cpu")
    folder = pipeline.train(again, tmp_path / "bundles", tmp_path / "runs", restart=True, device="cpu")
    assert read_bundle(folder).manifest.provenance.recipe["training"]["epochs"] == 3


@pytest.fixture
def published(trained, tmp_path):
    """published(rows): the figures of a model of the first rows of its data, trained anew."""

    def make(rows):
        text = trained("autoencoder", "gaussian").recipe.read_text()
        source = recipe.read(trained("autoencoder", "gaussian").recipe).data.source
        np.save(tmp_path / "own.npy", examples("gaussian")[:rows])
        path = tmp_path / "own.toml"
        path.write_text(text.replace(source, str(tmp_path / "own.npy")))
        folder = pipeline.train(path, tmp_path / "bundles", tmp_path / "runs", device="cpu")
        return read_bundle(folder).manifest.provenance

    return make


def test_ten_rows_are_enough_and_the_one_that_tests_has_no_error(published):
    figure = published(rows=10).figures["squared_error"]
    assert (figure.examples, figure.std_error) == (1, None)


def test_bundle_is_published_where_git_is_not_installed(published, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert published(rows=20).commit is None


def test_bundle_of_another_recipe_format_is_not_evaluated(tmp_path):
    with pytest.raises(RecipeError, match="is none of ours; name: Field required"):
        pipeline.evaluate_bundle(tiny_bundle.publish(tmp_path))
