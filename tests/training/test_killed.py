"""A training that is killed or runs out of disk, wherever it was, ends in what an undisturbed one ends in."""

import contextlib
import os
import random
import resource
import signal
import sys
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from safetensors.torch import save

from models.repository import Repository, read_bundle
from tests import tiny_bundle
from tests.killed import forked
from tests.training.conftest import RECIPE, examples
from training import __main__ as command
from training import pipeline

EPOCHS = 60
KILLS = 3
MODEL = 'likelihood = "gaussian"\nlatent = 2\nencoder = {widths = [8]}\ndecoder = {widths = [8]}'
SMALL = ("decode",)


def publish_weights(family, dataset, recipe, fitted, repository, other_seeds):
    """The weights as a file of a tiny bundle: what a graph would be made of, without the seconds that this takes."""
    tiny = read_bundle(tiny_bundle.publish(Path("tiny"), recipe.name, operations=SMALL))
    files = {
        **tiny.files,
        "weights.safetensors": save(family.state_dict()),
        "history.json": repr(fitted.history).encode(),
    }
    return repository.publish(tiny.manifest, files)


def train(folder, file_bytes):
    """`reparam-train` in `folder`, where no file gets longer than so."""
    os.chdir(folder)
    pipeline.publish = publish_weights
    resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))
    sys.argv = ["reparam-train", "own.toml", "--repository", "bundles", "--runs", "runs", "--device", "cpu"]
    with open("said", "w") as said, contextlib.redirect_stderr(said), contextlib.redirect_stdout(said):
        status = command.main()
    Path("seconds").write_text(str(time.process_time()))
    raise SystemExit(status)


def begin(folder, file_bytes=resource.RLIM_INFINITY):
    process = forked(__name__).Process(target=train, args=(folder, file_bytes))
    process.start()
    return process


def end(process):
    process.join(120)
    return process.exitcode


@pytest.fixture(scope="module")
def new_folder(tmp_path_factory):
    """new_folder(): one with a recipe and its data."""

    def make():
        folder = tmp_path_factory.mktemp("training")
        np.savez(folder / "own.npz", x=examples("gaussian"))
        text = RECIPE.format(name="own", family="vae", source="own.npz", labels="false", keep_back="[]", model=MODEL)
        (folder / "own.toml").write_text(text.replace("epochs = 2", f"epochs = {EPOCHS}"))
        return folder

    return make


@pytest.fixture(scope="module")
def undisturbed(new_folder):
    """The digest of the bundle, and the seconds that it took to compute it."""
    folder = new_folder()
    assert end(begin(folder)) == 0, (folder / "said").read_text()
    return digest(folder), float((folder / "seconds").read_text())


def digest(folder):
    """Of the only bundle there is."""
    repository = Repository(folder / "bundles")
    [(name, version)] = repository.list()
    return repository.read(name, version).digest


def kill_after(process, seconds):
    """When it has computed for so long, however busy the machine is."""
    watched = psutil.Process(process.pid)
    while process.is_alive() and sum(watched.cpu_times()[:2]) < seconds:
        time.sleep(0.002)
    process.kill()
    return end(process)


def test_training_killed_at_random_moments_ends_in_the_same_bundle(new_folder, undisturbed):
    (expected, seconds), folder, moments = undisturbed, new_folder(), random.Random(0)
    for _ in range(KILLS):
        assert kill_after(begin(folder), seconds * moments.uniform(0.1, 0.3)) == -signal.SIGKILL
        assert list(Repository(folder / "bundles").list()) == []
    assert list(folder.rglob("checkpoint.pt")), "no epoch was over before the last kill"
    assert end(begin(folder)) == 0
    assert digest(folder) == expected
    assert [path.name for path in (folder / "bundles").iterdir()] == ["own"]


def test_training_that_runs_out_of_disk_says_so_and_goes_on_when_there_is_room(new_folder, undisturbed):
    folder = new_folder()
    for file_bytes, complaint in (
        (1_000, "File too large"),
        (5_000, "checkpoint.pt cannot be written: File too large"),
    ):
        assert end(begin(folder, file_bytes)) == 1
        said = (folder / "said").read_text()
        assert complaint in said
        assert "the same command goes on" in said
        assert "Traceback" not in said
        assert list(folder.rglob("checkpoint*")) == []
    assert end(begin(folder)) == 0
    assert digest(folder) == undisturbed[0]
