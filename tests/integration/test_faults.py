"""What goes wrong around the service does not stop it: it serves what is loaded, and says what is wrong."""

import asyncio
import errno
import resource
import shutil
import subprocess
import sys
import time
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from limits import parse
from limits.strategies import FixedWindowRateLimiter

from models import files
from service.rates import SharedCounts
from tests import tiny_bundle
from tests.live_server import ROOT, live_server
from tests.service.conftest import serving

SMALL = ("decode",)
CODE = [[0, 0]]
FILES = 64
HOUR = 3600


@pytest.fixture
def root(tmp_path):
    for version in (1, 2):
        tiny_bundle.publish(tmp_path / "bundles", version=version, operations=SMALL)
    return tmp_path / "bundles"


async def until(told, wanted):
    """The service looks for itself, and often."""
    async with asyncio.timeout(30):
        while (found := await told()) != wanted:
            await asyncio.sleep(0.01)
        return found


async def readiness(service):
    response = await service.client.get("/readyz")
    return response.status_code, response.json().get("remarks")


async def states(service):
    models = (await service.client.get("/v2/models")).json()["models"]
    return {f"{model['name']}/{model['version']}": (model["state"], model["reason"]) for model in models}


GONE = ["the repository is not there; what was loaded serves on"]
UNREADABLE = ["the repository cannot be read; what was loaded serves on"]
AWAY = {
    "renamed": (GONE, lambda root, _: root.rename(root.with_name("elsewhere"))),
    "a file in its place": (GONE, lambda root, _: (root.rename(root.with_name("elsewhere")), root.touch())),
    "not to be read": (UNREADABLE, lambda root, patch: patch.setattr(Path, "iterdir", lambda _: refuse(errno.EACCES))),
    "broken": (UNREADABLE, lambda root, patch: patch.setattr(Path, "iterdir", lambda _: refuse(errno.EIO))),
}


def refuse(number):
    raise OSError(number, "not now")


@pytest.mark.parametrize("away", AWAY)
async def test_repository_that_goes_away_is_told_while_its_models_serve_on_until_it_is_back(root, monkeypatch, away):
    remark, take_away = AWAY[away]
    async with serving(root, watch_seconds=0.02) as service:
        before = await states(service)
        assert await readiness(service) == (200, None)
        with monkeypatch.context() as patch:
            take_away(root, patch)
            await until(lambda: readiness(service), (200, remark))
            assert await states(service) == before
            for version in (1, 2):
                assert (await service.ask("decode", f"tiny/versions/{version}", z=CODE))["version"] == version
        if root.with_name("elsewhere").exists():
            root.unlink(missing_ok=True)
            root.with_name("elsewhere").rename(root)
        await until(lambda: readiness(service), (200, None))
        tiny_bundle.publish(root, version=3, operations=SMALL)
        await until(lambda: newest(service), 3)


async def newest(service):
    return (await service.ask("decode", z=CODE))["version"]


async def test_repository_that_is_not_there_at_the_start_is_told_and_found_when_it_comes(root):
    elsewhere = root.rename(root.with_name("elsewhere"))
    async with serving(root, watch_seconds=0.02) as service:
        response = await service.client.get("/readyz")
        assert (response.status_code, response.json()["detail"]) == (503, "the repository is not there")
        shutil.move(elsewhere, root)
        await until(lambda: readiness(service), (200, None))


@pytest.mark.parametrize("number", [errno.EIO, errno.EMFILE])
async def test_version_that_a_failing_disk_hides_is_told_and_served_once_it_can_be_read(root, monkeypatch, number):
    """Nothing on the disk changes when it recovers."""
    opened = files._open_without_following

    def fail(path, flags):
        return refuse(number) if path.endswith("decode.onnx") else opened(path, flags)

    async with serving(root, watch_seconds=0.02) as service:
        with monkeypatch.context() as patch:
            patch.setattr(files, "_open_without_following", fail)
            tiny_bundle.publish(root, version=3, operations=SMALL)

            async def reason():
                return (await states(service)).get("tiny/3")

            await until(reason, ("UNAVAILABLE", "decode.onnx cannot be read: not now"))
            assert await newest(service) == 2
        await until(lambda: newest(service), 3)


async def test_file_that_may_be_read_again_is_read_again(root):
    """A folder in place of a file stands for one without permission, which the tests' own user may have."""
    async with serving(root, watch_seconds=0.02) as service:
        folder = tiny_bundle.publish(root.with_name("made"), version=3, operations=SMALL)
        card = (folder / "card.md").rename(folder.with_name("card"))
        (folder / "card.md").mkdir()
        folder.rename(root / "tiny" / "3")

        async def reason():
            return (await states(service)).get("tiny/3")

        await until(reason, ("UNAVAILABLE", "card.md cannot be read: Is a directory"))
        assert (await readiness(service), await newest(service)) == ((200, None), 2)
        (root / "tiny" / "3" / "card.md").rmdir()
        card.rename(root / "tiny" / "3" / "card.md")
        await until(lambda: newest(service), 3)


async def test_clock_that_jumps_ends_no_request_and_moves_no_deadline(root, monkeypatch):
    genuine, jumps = time.time, iter([HOUR, -HOUR] * 10_000)
    monkeypatch.setattr(time, "time", lambda: genuine() + next(jumps))
    async with serving(root, watch_seconds=0.02) as service:
        for _ in range(20):
            answer = await service.post("decode", z=CODE, headers={"X-Request-Timeout-Ms": "20000"})
            assert answer.status_code == 200
        tiny_bundle.publish(root, version=3, operations=SMALL)
        await until(lambda: newest(service), 3)


@settings(max_examples=20)
@given(jumps=st.lists(st.sampled_from([0, HOUR, -HOUR, 30, -30]), min_size=1, max_size=6))
def test_clock_that_jumps_locks_no_key_out_for_longer_than_its_window(jumps):
    with pytest.MonkeyPatch.context() as patch:
        now = 1e9
        patch.setattr(time, "time", lambda: now)
        limiter, rate = FixedWindowRateLimiter(SharedCounts(None)), parse("2/minute")
        for jump in jumps:
            now += jump
            limiter.hit(rate, "key")
        now += 60
        assert [limiter.hit(rate, "key") for _ in range(3)] == [True, True, False]


def few_files(most):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def test_few_open_files_and_a_full_disk_for_what_it_tells_leave_it_answering(root, monkeypatch):
    """More connections than there are files: some are refused, with a 503, and it answers when they are gone."""
    popen = subprocess.Popen
    with open("/dev/full", "wb") as full, monkeypatch.context() as patch, ExitStack() as stack:
        patch.setattr(
            subprocess,
            "Popen",
            lambda command, stdout, **options: popen(command, stdout=full, preexec_fn=few_files(FILES), **options),
        )
        server = stack.enter_context(live_server(repository=root, device="cpu"))
        server.wait_until_ready()
        connections = [
            stack.enter_context(closing(HTTPConnection(server.address, timeout=30))) for _ in range(2 * FILES)
        ]
        for connection in connections:
            connection.connect()
        answered = [status(connection) for connection in connections]
        assert answered.count(200) >= 4
        assert set(answered) <= {200, 503, None}
        for connection in connections:
            connection.close()
        with server.client() as client:
            server.wait_for(lambda _: client.get("/readyz"))
            assert {client.get("/v2/models/tiny").status_code for _ in range(100)} == {200}
        server.process.terminate()
        assert server.process.wait(60) == 0


def status(connection):
    """None if it was closed before it could be asked."""
    try:
        connection.request("GET", "/v2/models/tiny")
        return connection.getresponse().status
    except (ConnectionError, OSError):
        return None


def test_too_few_open_files_to_serve_are_told_in_a_sentence():
    found = subprocess.run(
        [sys.executable, "-m", "service", "--port", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=few_files(40),
    )
    assert found.returncode == 1
    assert found.stderr == "reparam-serve: 40 files may be open, of which serving takes 64 or more: ulimit -n 64\n"
