"""A bundle is measured again in place: what it says of itself is written anew, what it computes stays."""

import json
import shutil
from hashlib import sha256

import numpy as np
import pytest
from safetensors.numpy import load

from models.manifest import Manifest
from models.repository import MANIFEST, SEAL, digests, read_bundle
from tests import tiny_bundle
from tests.training.conftest import MEMBERS
from training import publication, recipe
from training.errors import DataError, RecipeError

TOLD = {"card.md", "report.html", "preview.png"}
COMPLETED = {"completed_kept", "completed_first_half", "completed_last_half"}
BOUNDS = {"elbo", "reconstruction", "kl", "bound_1", "bound_8"}
FIGURES = {
    "autoencoder": {"squared_error"},
    "autoregressive": {"log_prob"},
    "gan": set(),
    "vae": {"squared_error", "active_units", "posterior_sd"} | BOUNDS,
    "wgan": set(),
}
LOSSES = {
    "autoencoder": ["reconstruction_error"],
    "autoregressive": ["loss"],
    "vae": ["loss", "reconstruction", "kl"],
}


@pytest.fixture
def copied(trained, tmp_path):
    """copied(member): the folder of a trained bundle that a test may spoil."""
    return lambda member: shutil.copytree(trained(member).folder, tmp_path / "bundles" / member / "1")


def spoil(folder, change, files=None):
    """Seal the bundle in `folder` again, with a manifest that `change` made of its own, and with other files."""
    for name, content in (files or {}).items():
        (folder / name).write_bytes(content)
    bundled = {file.name: file.read_bytes() for file in folder.iterdir() if file.name not in (MANIFEST, SEAL)}
    content = json.loads((folder / MANIFEST).read_text())
    change(content)
    content["digests"] = {name: file.model_dump() for name, file in digests(bundled).items()}
    written = Manifest.model_validate(content).model_dump_json(indent=1, exclude_none=True).encode() + b"\n"
    (folder / MANIFEST).write_bytes(written)
    (folder / SEAL).write_text(f"{sha256(written).hexdigest()}  {MANIFEST}\n")
    return read_bundle(folder)


@pytest.mark.parametrize("member", MEMBERS)
def test_a_bundle_measured_again_is_the_same_to_the_byte(copied, member):
    folder = copied(member)
    before = read_bundle(folder)
    again = publication.evaluate_again(folder)
    assert again.provenance.figures == before.manifest.provenance.figures
    assert read_bundle(folder).digest == before.digest


@pytest.mark.parametrize("member", MEMBERS)
def test_figures_are_those_of_what_the_model_can(trained, member):
    manifest = read_bundle(trained(member).folder).manifest
    kind, figures = MEMBERS[member], set(manifest.provenance.figures)
    expected = set() if kind.keep_back else set(FIGURES[kind.family])
    expected |= COMPLETED if "complete" in manifest.operations else set()
    expected |= {"membership_auc"} if "score" in manifest.operations else set()
    expected |= {"bits_per_dim"} if "score" in manifest.operations and manifest.x.support == "levels" else set()
    assert figures == expected | ({"class_accuracy", "classifier_accuracy"} if kind.conditional else set())


def test_spoiled_figure_is_put_right_everywhere(copied):
    folder = copied("vae-binomial")
    true = read_bundle(folder)

    def boast(manifest):
        manifest["provenance"]["figures"]["elbo"]["value"] = -1.25

    files = dict.fromkeys(TOLD, b"elbo is -1.25")
    spoil(folder, boast, files)
    again = publication.evaluate_again(folder)
    assert again.provenance.figures["elbo"] == true.manifest.provenance.figures["elbo"]
    healed = read_bundle(folder)
    assert healed.manifest == true.manifest
    assert healed.files == true.files


def test_graphs_and_golden_rows_stay_when_all_else_is_written_anew(copied):
    folder = copied("vae-binomial")

    def rename(manifest):
        manifest["title"] = "Another title"

    before = spoil(folder, rename)
    publication.evaluate_again(folder)
    after = read_bundle(folder)
    changed = {name for name in before.files if before.files[name] != after.files[name]}
    assert changed == {"card.md", "report.html"}
    assert set(after.files) == set(before.files)
    for name in changed:
        assert "Another title." in after.files[name].decode()
    assert [path.name for path in folder.parents[1].iterdir()] == ["vae-binomial"]


def test_bundle_from_before_there_were_reports_gets_one(copied):
    folder = copied("autoencoder-gaussian")
    for name in ("report.html", "history.json"):
        (folder / name).unlink()
    spoil(folder, lambda manifest: None)
    publication.evaluate_again(folder)
    files = read_bundle(folder).files
    assert b"<html" in files["report.html"]
    assert "history.json" not in files


def test_notes_of_the_recipe_are_in_the_card_with_the_figures_they_name(copied):
    folder = copied("vae-binomial")

    def note(manifest):
        manifest["provenance"]["recipe"]["notes"] = ["Its bound is {bound_8:.3f} nats.", "It is small."]

    spoil(folder, note)
    bound = publication.evaluate_again(folder).provenance.figures["bound_8"].value
    card = read_bundle(folder).files["card.md"].decode()
    assert f"- Its bound is {bound:.3f} nats.\n- It is small.\n" in card


def test_what_is_returned_is_what_is_published(copied):
    folder = copied("autoencoder-gaussian")
    spoil(folder, lambda manifest: manifest.update(title="Another title"))
    assert publication.evaluate_again(folder) == read_bundle(folder).manifest


@pytest.mark.parametrize("member", ["vae-iwae", "autoencoder-gaussian", "autoregressive-rows"])
def test_history_and_report_tell_of_every_epoch(trained, member):
    files = read_bundle(trained(member).folder).files
    history = json.loads(files["history.json"])
    assert len(history) == 2
    assert all(list(row) == [*LOSSES[MEMBERS[member].family], "validation"] for row in history)
    best = 1 + int(np.argmin([row["validation"] for row in history]))
    assert f"{best} of 2" in files["report.html"].decode()


def test_other_data_under_the_same_name_are_refused_and_change_nothing(copied, trained):
    folder = copied("autoencoder-gaussian")
    before = read_bundle(folder)
    source = recipe.read(trained("autoencoder-gaussian").recipe).data.source
    kept = dict(np.load(source))
    np.savez(source, **kept | {"x": kept["x"] + 1})
    try:
        with pytest.raises(DataError, match=r"is not the data .* the digests differ"):
            publication.evaluate_again(folder)
    finally:
        np.savez(source, **kept)
    assert read_bundle(folder) == before


def test_bundle_of_another_recipe_format_is_refused(tmp_path):
    with pytest.raises(RecipeError, match="is none of ours; name: Field required"):
        publication.evaluate_again(tiny_bundle.publish(tmp_path))


@pytest.mark.parametrize("member", ["gan-binomial", "wgan-conditional"])
def test_where_nothing_tells_which_epoch_is_best_history_and_card_say_that_it_is_the_last(trained, member):
    files = read_bundle(trained(member).folder).files
    assert [list(row) for row in json.loads(files["history.json"])] == [["generator", "critic", "estimate"]] * 2
    assert "the last epoch kept" in files["card.md"].decode()
    assert "Best epoch" not in files["report.html"].decode()


def test_frames_of_images_are_in_the_report_and_a_model_without_them_has_none(trained):
    pages = [read_bundle(trained(member).folder).files for member in ("gan-binomial", "vae-binomial")]
    assert [b'id="film"' in files["report.html"] for files in pages] == [True, False]
    assert load(pages[0]["frames.safetensors"])["frames"].shape == (2, 10, 3, 4)
    assert "frames.safetensors" not in pages[1]
