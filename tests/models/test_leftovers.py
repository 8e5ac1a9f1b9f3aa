"""Whatever moment a publisher is killed or fails in, there is a whole bundle or none, and the next one clears up."""

import errno
import shutil
import signal
from contextlib import suppress

import pytest

from models.leftovers import INCOMING, OUTGOING, workplace
from models.repository import Repository, read_bundle
from tests import tiny_bundle
from tests.killed import before_step, die, forked
from tests.models.test_repository_amend import retitled

SMALL = ("decode",)
FAILURES = (errno.ENOSPC, errno.EIO)


def publish(root):
    return tiny_bundle.publish(root, operations=SMALL)


def amend(root):
    return Repository(root).amend(*retitled(root / "tiny" / "1"))


ACTS = {"publish": publish, "amend": amend}


def _act_and_die(act, root, step):
    before_step(step, die)
    ACTS[act](root)


def roots(act, folder):
    """A repository for every step, until one has no such step."""
    for step in range(100):
        root = folder / str(step)
        if act == "amend":
            publish(root)
        yield step, root


def found(root):
    """The digests of what is published; a reader meets no broken bundle."""
    repository = Repository(root)
    return [repository.read(name, version).digest for name, version in repository.list()]


def hidden(root):
    return [path.name for path in root.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("act", ACTS)
def test_publisher_that_is_killed_at_any_step_leaves_all_or_nothing(tmp_path, act):
    context, statuses, lost = forked(__name__), [], 0
    for step, root in roots(act, tmp_path):
        before = found(root) if root.exists() else []
        process = context.Process(target=_act_and_die, args=(act, root, step))
        process.start()
        process.join(60)
        statuses.append(process.exitcode)
        if process.exitcode == 0:
            break
        after = found(root) if root.exists() else []
        assert len(after) <= 1
        lost += len(after) < len(before)
        tiny_bundle.publish(root, "next", operations=SMALL)
        assert hidden(root) == []
        assert set(before) <= set(found(root)) or after not in ([], before), "neither the old nor the new one"
        ACTS[act](root)
        assert len(found(root)) == 2
    assert statuses[:-1] == [-signal.SIGKILL] * (len(statuses) - 1)
    assert statuses[-1] == 0
    assert len(statuses) > 9
    assert lost == (act == "amend"), "of amending there is one such moment, and what it took is back"


def act_on_a_failing_disk(act, root, step, number):
    """Whether there was such a step."""
    failed = []

    def fail():
        failed.append(step)
        raise OSError(number, "the disk failed")

    undo = before_step(step, fail)
    try:
        with suppress(OSError):
            ACTS[act](root)
    finally:
        undo()
    return bool(failed)


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("number", FAILURES)
def test_publisher_whose_disk_fails_at_any_step_leaves_all_or_nothing(tmp_path, act, number):
    for step, root in roots(act, tmp_path):
        if not act_on_a_failing_disk(act, root, step, number):
            break
        if root.exists():
            assert hidden(root) == []
            assert len(found(root)) == 1 or act == "publish"
        ACTS[act](root)
        assert len(found(root)) == 1
    assert step > 9


def test_folder_of_a_publisher_at_work_is_no_leftover(tmp_path):
    (tmp_path / f"{INCOMING}left").mkdir()
    with workplace(tmp_path) as mine:
        publish(tmp_path)
        assert hidden(tmp_path) == [mine.name]
    assert hidden(tmp_path) == []


@pytest.mark.parametrize("published_since", [False, True])
def test_bundle_that_was_taken_away_is_put_back_unless_another_took_its_place(tmp_path, published_since):
    folder = publish(tmp_path)
    shutil.copytree(folder, tmp_path / f"{OUTGOING}tiny-1")
    if published_since:
        amend(tmp_path)
    else:
        shutil.rmtree(folder)
    digest = read_bundle(folder if published_since else tmp_path / f"{OUTGOING}tiny-1").digest
    tiny_bundle.publish(tmp_path, "next", operations=SMALL)
    assert read_bundle(folder).digest == digest
    assert hidden(tmp_path) == []
