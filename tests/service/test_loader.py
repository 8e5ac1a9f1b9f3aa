"""A bundle that kills, hangs or bloats the process in which it is tried is refused, and the next one is tried."""

import signal
from contextlib import contextmanager

import psutil
import pytest

from models.errors import BundleError
from models.repository import read_bundle
from service import loader
from service.inventory import Inventory
from service.loader import Loader
from service.metrics import Metrics
from service.registry import Registry
from service.settings import Settings
from tests import tiny_bundle
from tests.service import spoiling
from tests.service.conftest import serving

ENDLESS = 1000  # a code on which the looping decoder runs for ever
SMALL = ("decode",)


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """A good bundle, one that loops for ever, and one that asks for 4 GiB."""
    folder = tmp_path_factory.mktemp("loader")
    tiny_bundle.publish(folder, operations=SMALL)
    endless = tiny_bundle.publish(folder, "endless", operations=SMALL, loops=True)
    spoiling.with_golden(endless, lambda _, rows: rows.inputs["z"].fill(ENDLESS))
    spoiling.with_graph(tiny_bundle.publish(folder, "huge", operations=SMALL), "decode.onnx", spoiling.ask_for(2**30))
    return folder


@contextmanager
def loading(root, **terms):
    """A loader, and the process that it has at the time of asking."""
    before = set(psutil.Process().children())

    def child():
        (found,) = [process for process in set(psutil.Process().children()) - before if process.is_running()]
        return found

    made = loader.start(Settings(repository=root, **terms))
    try:
        yield made, child
    finally:
        made.close()


@pytest.fixture(scope="module")
def patient(root):
    with loading(root, load_bytes=2**29) as made:
        yield made


def refusal(tried, name):
    with pytest.raises(BundleError) as refused:
        tried.check(name, "1")
    return str(refused.value)


def test_bundle_that_holds_has_the_digest_that_reading_it_gives(patient, root):
    tried, _ = patient
    assert tried.check("tiny", "1") == read_bundle(root / "tiny" / "1").digest


@pytest.mark.parametrize(
    ("name", "spoil", "complaint"),
    [
        ("flipped", lambda folder: spoiling.flip(folder / "card.md"), "card.md is not the file that was published"),
        ("other", lambda folder: spoiling.with_golden(folder, spoiling.other_numbers), "is not what was computed"),
        ("none", lambda folder: spoiling.replace(folder, files={"decode.onnx": b"graph"}), "is not an ONNX file"),
        ("moved", lambda folder: folder.rename(folder.with_name("2")), "the folder cannot be read"),
    ],
)
def test_bad_bundle_is_refused_with_its_reason_by_the_same_process(patient, root, name, spoil, complaint):
    tried, child = patient
    spoil(tiny_bundle.publish(root, name, operations=SMALL))
    before = child()
    assert complaint in refusal(tried, name)
    assert child() == before


def test_bundle_that_asks_for_too_much_memory_is_refused(patient):
    tried, child = patient
    before = child()
    assert refusal(tried, "huge") == (
        "loading it takes more than 512 MiB of memory; the setting load_bytes allows more"
    )
    assert child() == before


def test_process_that_was_killed_while_idle_is_replaced(patient):
    tried, child = patient
    before = child()
    before.kill()
    before.wait()
    assert tried.check("tiny", "1")
    assert child() != before


def test_bundle_whose_loading_does_not_end_is_refused_and_its_process_killed(root):
    with loading(root, load_seconds=2) as (tried, child):
        before = child()
        assert refusal(tried, "endless") == "loading it took more than 2 s; the setting load_seconds allows more"
        assert not before.is_running()
        assert tried.check("tiny", "1")


def test_process_whose_clock_nobody_keeps_ends_by_itself(root, monkeypatch):
    """As it would if the service were killed in the middle of a bundle."""

    class Stopped(loader.Timer):
        def start(self):
            pass

    monkeypatch.setattr(loader, "Timer", Stopped)
    with loading(root, load_seconds=0.5) as (tried, _):
        assert refusal(tried, "endless").startswith("loading it took more than 0.5 s")


def test_process_that_dies_while_it_tries_a_bundle_is_told_of(root):
    with loading(root, load_seconds=30) as (tried, child):
        tried.check("tiny", "1")
        clock = loader.Timer(0.7, child().send_signal, [signal.SIGSEGV])
        clock.start()
        assert refusal(tried, "endless") == "loading it ended the process in which it was tried (status -11)"


def test_process_that_does_not_start_is_told_of(root, monkeypatch):
    monkeypatch.setattr(loader.sys, "executable", "false")
    with loading(root) as (tried, _):
        assert refusal(tried, "tiny") == "the process that tries bundles does not start (status 1)"


def test_process_that_cannot_be_started_is_told_of(root, monkeypatch):
    with loading(root) as (tried, child):
        process = child()
        process.kill()
        process.wait()
        monkeypatch.setattr(loader.sys, "executable", "/nowhere")
        assert refusal(tried, "tiny") == "no process to try bundles in can be started: No such file or directory"


def test_closing_ends_the_process_also_in_the_middle_of_a_bundle(root):
    with loading(root) as (tried, child):
        tried.check("tiny", "1")
        process = child()
        loader.Timer(0.7, tried.close).start()
        refusal(tried, "endless")
        assert not process.is_running()
        assert refusal(tried, "tiny") == "the service is shutting down"


def test_process_ends_with_whoever_started_it(root):
    with loading(root) as (tried, child):
        tried.check("tiny", "1")
        process = child()
        tried._child._process.stdin.close()
        assert process.wait(10) in (0, None)


def test_there_is_no_loader_where_the_settings_do_without(root):
    assert loader.start(Settings(repository=root, loader=False)) is None


def test_bundle_that_changes_between_trying_and_loading_is_not_read(tmp_path):
    folder = tiny_bundle.publish(tmp_path, operations=SMALL)

    class Slow(Loader):
        def __init__(self):
            pass

        def check(self, *_):
            digest = read_bundle(folder).digest
            spoiling.with_golden(folder, spoiling.other_numbers)
            return digest

    with pytest.raises(BundleError, match="its files were changed while it was being checked"):
        Inventory(tmp_path, Slow()).read(("tiny", "1"))


async def test_service_serves_what_the_loader_lets_through(root):
    async with serving(root, loader=True, golden_seconds=1.0, load_bytes=2**29) as service:
        listed = {one["name"]: one["reason"] for one in (await service.client.get("/v2/models")).json()["models"]}
        assert listed["tiny"] == ""
        assert listed["endless"] == "decode: the golden rows had not run after 1 s"
        assert listed["huge"].startswith("loading it takes more than 512 MiB")
        assert (await service.post("decode", z=[[0, 0]])).status_code == 200


async def test_child_is_there_while_bundles_come_and_ends_when_none_has_come_for_a_while(tmp_path, monkeypatch):
    tiny_bundle.publish(tmp_path, operations=SMALL)
    before = set(psutil.Process().children())

    def children():
        return [child for child in set(psutil.Process().children()) - before if child.is_running()]

    registry = Registry(
        Settings(repository=tmp_path, device="cpu"), Metrics(), loader.start(Settings(repository=tmp_path))
    )
    for _ in range(2):
        await registry.look()
        assert len(children()) == 1
    monkeypatch.setattr(loader, "_IDLE_SECONDS", 0.0)
    await registry.look()
    assert children() == []
    tiny_bundle.publish(tmp_path, version=2, operations=SMALL)
    await registry.look()
    assert [entry.state for entry in registry.entries()] == ["READY", "READY"]
    assert len(children()) == 1
    registry.close()
    assert children() == []
