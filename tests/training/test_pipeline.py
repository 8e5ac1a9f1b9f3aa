"""One recipe leads to one published bundle, whole, or to none."""

import io
from itertools import cycle

import numpy as np
import pytest
from PIL import Image

from models.repository import Repository, read_bundle
from tests.training.conftest import EXAMPLES, MEMBERS, SHAPES, examples, labels
from training import pipeline, recipe
from training.errors import DataError, RecipeError, TrainingError
from training.exported import Exported
from training.families import FAMILIES

PLAIN = {(family, likelihood): f"{family}-{likelihood}" for family in FAMILIES for likelihood in EXAMPLES}
# Whole trainings are dear: of the plain members one a family, each with another likelihood; of the others all.
TRAINED = [PLAIN[pair] for pair in zip(FAMILIES, cycle(EXAMPLES), strict=False)] + [
    name for name in MEMBERS if name not in PLAIN.values()
]


@pytest.mark.parametrize("member", TRAINED)
def test_recipe_ends_in_a_bundle_that_reads_back(trained, member):
    made = trained(member)
    manifest = Repository(made.repository).read(member, 1).manifest
    assert made.folder == made.repository / member / "1"
    assert manifest.family == MEMBERS[member].family
    assert manifest.x == EXAMPLES[MEMBERS[member].likelihood]
    assert manifest.shapes["x"] == SHAPES[MEMBERS[member].likelihood]
    assert manifest.labels == tuple(sorted(MEMBERS[member].labels))
    assert manifest.provenance.recipe == recipe.read(made.recipe).model_dump(mode="json")
    assert (manifest.calibration is not None) == ("score" in manifest.operations)


@pytest.mark.parametrize(("member", "graphs"), [("vae-kept-back", {"decode"}), ("wgan-conditional", {"generate"})])
def test_what_the_recipe_keeps_back_is_absent_for_that_reason_and_in_no_file(trained, member, graphs):
    bundle = read_bundle(trained(member).folder)
    kept_back = MEMBERS[member].keep_back
    assert {bundle.manifest.absent[name] for name in kept_back} == {"its recipe keeps that back"}
    assert set(kept_back).isdisjoint(bundle.manifest.operations)
    assert {name for name in bundle.files if name.endswith(".onnx")} == {f"{graph}.onnx" for graph in graphs}
    assert not bundle.manifest.provenance.figures.keys() & {"elbo", "membership_auc", "posterior_sd"}


@pytest.mark.parametrize("member", TRAINED)
def test_every_operation_of_the_bundle_runs_from_its_files_alone(trained, member):
    bundle = read_bundle(trained(member).folder)
    exported = Exported(bundle.manifest.operations, bundle.files)
    x = examples(MEMBERS[member].likelihood, rows=5).astype(np.float32)
    known = {"x": x, "mask": np.float32(x > 0), "label": labels(5)}

    def run(name, samples=None):
        data = {tensor: known[tensor] for tensor in bundle.manifest.inputs(name)}
        return exported.run(name, data | exported.draw(name, index=0, rows=5, samples=samples))

    if "decode" in bundle.manifest.operations:
        known["z"] = run("encode" if "encode" in bundle.manifest.operations else "sample")["z"]
    for name, operation in bundle.manifest.operations.items():
        outputs = run(name, range(2) if name == "score" else None)
        assert set(outputs) == set(operation.outputs)
        for tensor, value in outputs.items():
            assert value.shape[1 + (name == "score") :] == bundle.manifest.shape(name, tensor)


@pytest.mark.parametrize("member", TRAINED)
def test_card_has_every_figure_and_images_have_a_picture(trained, member):
    bundle = read_bundle(trained(member).folder)
    card = bundle.files["card.md"].decode()
    for name, figure in bundle.manifest.provenance.figures.items():
        assert f"| {name} | {figure.value:.5g}" in card
    assert ("given its label" in card) == MEMBERS[member].conditional
    assert ("preview.png" in bundle.files) == (bundle.manifest.x.kind == "image")
    if "preview.png" in bundle.files:
        assert Image.open(io.BytesIO(bundle.files["preview.png"])).width >= 448


def test_nothing_tells_of_the_machine(trained):
    made = trained("vae-bernoulli")
    places = {str(made.repository), str(pipeline.__file__)}
    bundle = read_bundle(made.folder)
    assert not [place for place in places for content in bundle.files.values() if place.encode() in content]


def test_second_run_publishes_the_next_version(trained):
    made = trained("autoencoder-gaussian")
    assert not list(made.runs.rglob("autoencoder-gaussian/checkpoint*"))
    second = pipeline.train(made.recipe, made.repository, made.runs, device="cpu")
    assert Repository(made.repository).versions("autoencoder-gaussian") == (1, 2)
    graphs = [
        {name: (folder / name).read_bytes() for name in ("encode.onnx", "decode.onnx")}
        for folder in (made.folder, second)
    ]
    assert graphs[0] == graphs[1]


def test_several_seeds_publish_the_first_and_tell_what_the_figures_of_the_others_are(trained, tmp_path):
    made, places = trained("autoencoder-gaussian"), (tmp_path / "bundles", tmp_path / "runs")
    alone = read_bundle(made.folder)
    bundle = read_bundle(pipeline.train(made.recipe, *places, seeds=3, device="cpu"))
    assert bundle.manifest.provenance.figures == alone.manifest.provenance.figures
    assert bundle.files["decode.onnx"] == alone.files["decode.onnx"]
    assert list(tmp_path.rglob("checkpoint*")) == []
    text = made.recipe.read_text()
    expected = []
    for seed in (1, 2):
        recipe_of_seed = tmp_path / f"{seed}.toml"
        recipe_of_seed.write_text(f"seed = {seed}\n{text}")
        other = read_bundle(pipeline.train(recipe_of_seed, tmp_path / "others", tmp_path / "runs", device="cpu"))
        expected.append(other.manifest.provenance.figures["squared_error"].value)
    assert bundle.manifest.provenance.other_seeds == {"squared_error": tuple(expected)}
    assert len({*expected, alone.manifest.provenance.figures["squared_error"].value}) == 3
    assert "| squared_error, seeds | " in bundle.files["card.md"].decode()
    assert "seeds, 3 |" in bundle.files["card.md"].decode()


@pytest.mark.parametrize("seeds", [0, -1])
def test_no_seeds_are_refused(trained, tmp_path, seeds):
    with pytest.raises(RecipeError, match=f"{seeds} seeds are none to train with; take 1 or more"):
        pipeline.train(trained("autoencoder-gaussian").recipe, tmp_path, tmp_path, seeds=seeds)


@pytest.fixture
def broken(trained, tmp_path):
    """broken(old, new): the path of a recipe in which something was replaced."""

    def make(old, new):
        path = tmp_path / "broken.toml"
        text = trained("autoencoder-gaussian").recipe.read_text()
        assert old in text
        path.write_text(text.replace(old, new))
        return path

    return make


@pytest.mark.parametrize(
    ("old", "new", "error", "complaint"),
    [
        (
            '"autoencoder"',
            '"vqvae"',
            RecipeError,
            "no family vqvae; there are autoencoder, autoregressive, gan, vae, wgan",
        ),
        ("latent = 2", "latent = 0", RecipeError, r"\[model\]: latent: Input should be greater than or equal to 1"),
        ("latent = 2", "latent = 2\nbeta = 2.0", RecipeError, r"\[model\]: beta: Extra inputs are not permitted"),
        ('"gaussian"', '"bernoulli"', RecipeError, "bernoulli is for binary data, not real"),
        ("labels = false", "labels = true", RecipeError, "the family autoencoder takes no labels; leave labels out"),
        (
            "keep_back = []",
            'keep_back = ["encode", "decode", "score"]',
            RecipeError,
            "keep_back leaves nothing; the family autoencoder has encode, decode",
        ),
        ("keep_back = []", 'keep_back = ["scores"]', RecipeError, "keep_back.0: Input should be 'sample', "),
        (".npz", ".txt", DataError, "nor a file that ends in .npy, .npz, .csv, .parquet, nor a folder of images"),
    ],
)
def test_recipe_that_cannot_be_followed_publishes_nothing(broken, tmp_path, old, new, error, complaint):
    with pytest.raises(error, match=complaint):
        pipeline.train(broken(old, new), tmp_path / "bundles", tmp_path / "runs", device="cpu")
    assert not (tmp_path / "bundles").exists()


def test_restart_forgets_the_checkpoint(broken, tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "publish", stop)
        with pytest.raises(KeyboardInterrupt):
            pipeline.train(broken("epochs = 2", "epochs = 1"), tmp_path / "bundles", tmp_path / "runs", device="cpu")
    again = broken("epochs = 2", "epochs = 3")
    with pytest.raises(TrainingError, match="of another recipe"):
        pipeline.train(again, tmp_path / "bundles", tmp_path / "runs", device="cpu")
    folder = pipeline.train(again, tmp_path / "bundles", tmp_path / "runs", restart=True, device="cpu")
    assert read_bundle(folder).manifest.provenance.recipe["training"]["epochs"] == 3


@pytest.fixture
def published(trained, tmp_path):
    """published(rows): the provenance of a model of the first rows of its data, trained anew."""

    def make(rows):
        text = trained("autoencoder-gaussian").recipe.read_text()
        source = recipe.read(trained("autoencoder-gaussian").recipe).data.source
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
