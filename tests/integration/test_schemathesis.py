"""What the OpenAPI page says holds for whatever can be made from it; REPARAM_SCHEMATHESIS sets how much that is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny_bundle
from tests.live_server import live_server

EXAMPLES = int(os.environ.get("REPARAM_SCHEMATHESIS", "1"))
PHASES = ("coverage", "fuzzing") if EXAMPLES == 1 else ("coverage", "fuzzing", "stateful")
LEFT_OUT = ["--exclude-path-regex", "/versions/"] if EXAMPLES == 1 else []  # the same routes again
OF_A_VERB = {200, 400, 401, 403, 404, 405, 406, 408, 413, 415, 422, 429, 431, 503, 504}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    tiny_bundle.publish(root)
    with live_server(repository=root, device="cpu", journal=False) as server:
        server.wait_until_ready()
        yield server


def test_page_lists_every_status_of_the_verbs(server):
    with server.client() as client:
        paths = client.get("/openapi.json").json()["paths"]
    verbs = [path for path in paths if path.startswith("/v2/models/{model}") and "post" in paths[path]]
    assert len(verbs) == 2 * 10
    for path in verbs:
        assert {int(status) for status in paths[path]["post"]["responses"]} == OF_A_VERB


def test_every_check_holds_for_what_the_page_allows_and_forbids(server, tmp_path):
    run = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", Path(__file__).with_name("schemathesis.toml")),
            *("run", f"{server.url}/openapi.json", "--checks", "all", "--phases", ",".join(PHASES)),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--continue-on-failure", "--warnings", "off"),
            *("--generation-database", "none", "--no-color", *LEFT_OUT),
        ],
        cwd=tmp_path,  # where it leaves a folder
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout[-8000:] + run.stderr[-2000:]
    assert server.process.poll() is None
    print(run.stdout[-800:])
