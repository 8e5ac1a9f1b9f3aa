"""Bad input is never a bug: almost valid bodies on every route, of which REPARAM_MUTANTS sets the number."""

import itertools
import os
from collections import Counter

import httpx
import psutil
import pytest

from models.repository import Repository
from tests import leaks, tiny_bundle
from tests.live_server import live_server
from tests.mutants import MARKER, mutants

MUTANTS = int(os.environ.get("REPARAM_MUTANTS", "2000"))
WARM_UP = 2000  # of a longer run, after which its memory is looked at
MEBIBYTE = 2**20


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = tmp_path_factory.mktemp("bundles")
    tiny_bundle.publish(root)
    tiny_bundle.publish(root, "other")
    return root


@pytest.fixture(scope="module")
def server(root):
    with live_server(repository=root, device="cpu", admin=True, journal=False) as server:
        server.wait_until_ready()
        yield server


def check(response):
    is_late = response.status_code == 504 and response.url.path.endswith("/infer")  # a body may ask for a microsecond
    assert response.status_code < 500 or is_late, (response.status_code, response.text)
    if response.status_code >= 400:
        leaks.check(response)
        assert MARKER not in response.text
        assert MARKER.encode("unicode-escape") not in response.content


def test_no_mutant_is_a_bug_and_none_is_repeated(server, root):
    """Nor does any of them end the process, or stay in its memory."""
    answered = Counter()
    server_process = psutil.Process(server.pid)
    before = 0
    with server.client() as client:
        for number, mutant in enumerate(itertools.islice(mutants(Repository(root), "tiny", 1), MUTANTS)):
            if number == WARM_UP:
                before = server_process.memory_info().rss
            try:
                response = client.post(mutant.path, headers=mutant.headers, content=mutant.content)
            except httpx.HTTPError as error:
                raise AssertionError(mutant) from error
            check(response)
            answered[response.status_code] += 1
        assert client.get("/readyz").status_code == 200
    assert server.process.poll() is None
    assert {200, 400, 422} <= set(answered)
    if MUTANTS > WARM_UP:
        grown = (server_process.memory_info().rss - before) / MEBIBYTE
        print(f"{MUTANTS:,} mutants: {dict(answered)}, resident {grown:+.1f} MiB after the first {WARM_UP:,}")
        assert grown <= 8
