"""`reparam bench` of a live server: every request is accounted for, and refusals are in the service's own words."""

import json
import re
import subprocess
import sys

import httpx
import pytest

from service.bench.question import VERBS
from service.command import main
from service.keys import line_of, text_of
from tests import tiny_bundle
from tests.live_server import ROOT, live_server

SHORT = ["--duration", "0.2", "--warmup", "0"]


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    tiny_bundle.publish(root)
    tiny_bundle.publish(root, "labelled", conditional=True)
    tiny_bundle.publish(root, "exact", operations=["score"], exact=True)
    tiny_bundle.publish(root, "autoencoder", operations=["encode", "decode"])
    return root


@pytest.fixture(scope="module")
def server(repository):
    with live_server(repository=repository, device="cpu") as server:
        server.wait_until_ready()
        yield server


@pytest.fixture
def bench(server, tmp_path, capsys):
    """bench(*arguments): the exit code, the report and what was said to standard error."""

    def ask(*arguments, url=server.url):
        path = tmp_path / "report.json"
        code = main(["bench", url, *SHORT, "-o", str(path), *arguments])
        return code, json.loads(path.read_text()) if path.exists() else None, capsys.readouterr().err

    return ask


def counted(server, verb="sample"):
    text = httpx.get(f"{server.url}/metrics").text
    found = re.findall(rf'reparam_requests_total{{code="200",model="tiny",operation="{verb}".*}} (.*)', text)
    return sum(float(value) for value in found)


@pytest.mark.parametrize("load", [["--connections", "1", "3"], ["--rate", "50", "100"]])
def test_the_service_has_answered_as_many_as_the_report_says(bench, server, load):
    before = counted(server)
    code, report, _ = bench("--model", "tiny", "--num-samples", "2", *load)
    assert code == 0
    for run in report["runs"]:
        assert run["asked"] == run["answered"] + run["refused"] + run["failed"] == run["answered"] > 0
        assert run["statuses"] == {"200": run["answered"]}
    asked_once_before = 1
    assert counted(server) - before == sum(run["asked"] for run in report["runs"]) + asked_once_before


@pytest.mark.parametrize("payload", ["json", "npy", "png"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_asked_in_every_payload(bench, verb, payload):
    code, report, said = bench("--verb", verb, "--model", "tiny", "--payload", payload, "--duration", "0.02")
    assert code == 0, said
    assert report["runs"][0]["failed"] == 0
    assert (report["model"], report["version"], report["payload"]) == ("tiny", 1, payload)


@pytest.mark.parametrize(
    ("model", "verb"),
    [
        ("labelled", "sample"),
        ("labelled", "score"),
        ("labelled", "traverse"),
        ("exact", "score"),
        ("autoencoder", "encode"),
    ],
)
def test_models_that_want_a_label_or_draw_no_samples_are_asked_what_they_can(bench, model, verb):
    code, _, said = bench("--verb", verb, "--model", model, "--duration", "0.02")
    assert code == 0, said


def test_without_a_model_it_is_the_first_that_has_the_verb(bench):
    assert bench("--verb", "score", "--duration", "0.02")[1]["model"] == "exact"


def test_an_unknown_model_is_refused_in_the_words_of_the_service(bench, server):
    code, report, said = bench("--model", "nobody")
    assert (code, report) == (2, None)
    assert httpx.get(f"{server.url}/v2/models/nobody").json()["detail"] in said


def test_a_verb_that_the_model_lacks_is_refused_in_the_words_of_the_service(bench, server):
    code, report, said = bench("--model", "autoencoder", "--verb", "sample")
    assert (code, report) == (2, None)
    assert httpx.post(f"{server.url}/v2/models/autoencoder/sample", json={}).json()["detail"] in said


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--num-samples", "9999"], "over the limit of 4,096"),
        (["--verb", "encode", "--payload", "png", "--rows", "2"], "leave --rows at 1"),
        (["-o", "report.pdf"], "written as .json or .html"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_any_load(bench, arguments, sentence):
    code, _, said = bench("--model", "tiny", *arguments)
    assert code == 2
    assert sentence in said


@pytest.mark.parametrize(
    ("url", "sentence"), [("http://127.0.0.1:9", "is the service running"), ("there", "one is http")]
)
def test_where_nobody_answers_it_says_so(bench, url, sentence):
    code, _, said = bench(url=url)
    assert code == 2
    assert sentence in said


def test_refusals_are_counted_with_when_to_come_again(repository, bench, tmp_path, monkeypatch):
    text = text_of("alice")
    (tmp_path / "keys").write_text(line_of(text, ["infer", "metadata"], "8/day") + "\n")
    (tmp_path / "key").write_text(text + "\n")
    with live_server(repository=repository, device="cpu", keys=tmp_path / "keys") as guarded:
        guarded.wait_until_ready()
        _, report, said = bench("--model", "tiny", "--key-file", str(tmp_path / "key"), url=guarded.url)
    [run] = report["runs"]
    assert (run["answered"], run["failed"]) == (6, 0)  # two went before: what the model is, and the question itself
    assert run["asked"] == 6 + run["refused"]
    assert run["refused"] > 0
    assert 0 < run["retry_after_seconds"]["most"] <= 24 * 3600
    assert "refused, to come again after" in said
    assert text not in json.dumps(report)


def test_a_base_install_is_all_it_takes():
    code = "import sys, service.command.bench; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {module.split(".")[0] for module in run.stdout.split()}
    assert not loaded & {"fastapi", "starlette", "uvicorn", "onnxruntime", "onnx", "PIL", "orjson", "torch"}
