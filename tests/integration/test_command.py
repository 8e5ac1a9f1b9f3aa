"""`reparam` from a shell, against a live server: what it writes, and what it says."""

import signal
import subprocess
import sys
import time

import numpy as np
import polars
import pytest

from service.client import Reparam
from service.command import main
from tests import tiny_bundle
from tests.live_server import PATIENCE_SECONDS, ROOT, live_server

X = np.random.default_rng(0).integers(0, 2, (300, 2, 2)).astype(np.uint8)


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    tiny_bundle.publish(root)
    tiny_bundle.publish(root, "autoencoder", operations=["encode", "decode"])
    with live_server(repository=root, device="cpu") as server:
        server.wait_until_ready()
        yield server.url


@pytest.fixture(autouse=True)
def _environment(address, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REPARAM_URL", address)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


@pytest.fixture
def reparam(capsys):
    """The command in this process: its status, and what it says."""

    def run(*arguments):
        return main(arguments), *capsys.readouterr()

    return run


def start(*arguments):
    """The command in a process of its own, which can be killed."""
    command = [sys.executable, "-m", "service.command", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture
def data(tmp_path):
    np.save(tmp_path / "x.npy", X)
    return tmp_path


def test_models_are_listed(reparam):
    code, out, _ = reparam("models")
    assert code == 0
    [tiny] = [line.split() for line in out.splitlines() if line.startswith("tiny ")]
    assert tiny[:3] == ["tiny", "1", "READY"]


def test_samples_are_those_of_the_client(reparam, tmp_path, address):
    with Reparam(address) as client:
        x = client.sample("tiny", 3, seed=7, index=2).x
        picture = client.sample_picture("tiny", 3, seed=7, index=2)
    for name in ("x.npy", "x.csv", "x.png"):
        code, out, error = reparam("sample", "tiny", "-n", "3", "--seed", "7", "--index", "2", "-o", name)
        assert (code, out, error) == (0, f"{name}: 3 of tiny, seed 7\n", "")
    assert np.array_equal(np.load(tmp_path / "x.npy"), x)
    assert np.array_equal(np.loadtxt(tmp_path / "x.csv", delimiter=",", dtype=np.float32), x.reshape(3, -1))
    assert (tmp_path / "x.png").read_bytes() == picture
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv", "x.npy", "x.png"]


SCORE = ("score", "tiny", "x.npy", "--samples", "8", "--rows", "2", "--window", "3")


def kill_midway(tmp_path, output, how=signal.SIGKILL):
    """Kill a run once it has kept more than it found; how many bytes it then has."""
    partial = tmp_path / f"{output}.partial"
    before = partial.stat().st_size if partial.exists() else 0
    process = start(*SCORE, "-o", output)
    until = time.monotonic() + PATIENCE_SECONDS
    while not partial.exists() or partial.stat().st_size < before + 2000:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.001)
    process.send_signal(how)
    said = process.communicate(timeout=PATIENCE_SECONDS)
    assert not (tmp_path / output).exists()
    return partial.stat().st_size, process.returncode, said


def test_run_killed_twice_gives_the_bytes_of_an_undisturbed_one(reparam, data):
    assert reparam(*SCORE, "-o", "whole.csv")[0] == 0
    first, code, _ = kill_midway(data, "killed.csv")
    second = kill_midway(data, "killed.csv")[0]
    assert code == -signal.SIGKILL
    assert first < second
    assert reparam(*SCORE, "-o", "killed.csv")[0] == 0
    whole = (data / "whole.csv").read_bytes()
    assert (data / "killed.csv").read_bytes() == whole
    assert whole.count(b"\n") == 301
    assert sorted(path.name for path in data.iterdir()) == ["killed.csv", "whole.csv", "x.npy"]


def test_interrupt_keeps_what_is_done_and_says_how_to_go_on(data):
    _, code, (_, error) = kill_midway(data, "scores.csv", signal.SIGINT)
    assert code == 130
    assert "of 300 rows are kept; the same command goes on from there" in error
    assert "Traceback" not in error


def test_partial_result_of_another_run_is_refused(reparam, data):
    kill_midway(data, "scores.csv")
    code, _, error = reparam(*SCORE, "--seed", "1", "-o", "scores.csv")
    assert (code, "its seed is 0, not 1" in error) == (1, True)
    np.save(data / "x.npy", 1 - X)
    code, _, error = reparam(*SCORE, "-o", "scores.csv")
    assert (code, "its data is" in error) == (1, True)
    assert "delete it" in error


def test_parquet_has_the_table_of_the_csv(reparam, data):
    for output in ("scores.csv", "scores.parquet"):
        assert reparam(*SCORE, "--rows", "100", "-o", output)[0] == 0
    table, lines = polars.read_parquet(data / "scores.parquet"), polars.read_csv(data / "scores.csv")
    assert table.columns == lines.columns
    assert table["elbo"].equals(lines["elbo"])
    assert table["kind"].unique().to_list() == ["lower_bound"]
    assert table.schema["reliable"] == polars.Boolean
    assert table["reason"].null_count() == 300


REFUSED = [
    (("score", "autoencoder", "x.npy", "-o", "s.csv"), "autoencoder cannot score: it was left out"),
    (("score", "tiny", "x.npy", "-o", "s.xlsx"), "s.xlsx can be written as .csv or .parquet"),
    (("score", "tiny", "x.npy", "-o", "x.csv"), "x.csv is there already; --force replaces it"),
    (("score", "tiny", "x.npy", "-o", "no/s.csv"), "there is no folder no"),
    (("score", "tiny", "none.npy", "-o", "s.csv"), "there is no file none.npy"),
    (("score", "tiny", "x.npy", "-o", "s.csv", "--samples", "0"), "at least 1"),
    (("score", "nobody", "x.npy", "-o", "s.csv"), "no such model"),
    (("sample", "autoencoder", "-o", "s.npy"), "autoencoder cannot sample"),
    (("sample", "tiny", "-o", "s.gif"), "s.gif can be written as .png, .npy, .csv"),
    (("models", "--url", "localhost:8000"), "http://localhost:8000 may be what is meant"),
    (("models", "--key-file", "nowhere"), "nowhere"),
]


@pytest.mark.parametrize(("arguments", "sentence"), REFUSED, ids=[sentence for _, sentence in REFUSED])
def test_what_cannot_be_done_is_said_in_a_sentence(reparam, data, arguments, sentence):
    (data / "x.csv").write_text("taken")
    code, _, error = reparam(*arguments)
    assert code == 1
    assert error.startswith("reparam: ")
    assert sentence in error
    assert "Traceback" not in error
    assert (data / "x.csv").read_text() == "taken"
    assert not (data / "s.csv").exists()
