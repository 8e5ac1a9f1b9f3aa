"""A checkpoint is there whole and as it was written, or it is refused; a kill or a full disk leaves the one before."""

import errno
import signal

import pytest
import torch

from tests.killed import before_step, die, forked
from training import checkpoint
from training.errors import TrainingError

CPU = torch.device("cpu")
OLD, NEW = ({"weight": torch.full((3,), float(value)), "history": [value]} for value in (1, 2))


def save_and_die(path, step):
    before_step(step, die)
    checkpoint.save(NEW, path)


def history(path):
    return checkpoint.load(path, CPU)["history"]


def test_what_was_saved_comes_back(tmp_path):
    path = tmp_path / "runs" / "checkpoint.pt"
    assert checkpoint.load(path, CPU) is None
    checkpoint.save(NEW, path)
    loaded = checkpoint.load(path, CPU)
    assert (loaded["weight"].tolist(), loaded["history"]) == ([2, 2, 2], [2])
    assert torch.load(path)["history"] == [2]


def test_kill_at_any_step_leaves_the_old_one_or_the_new_one_and_the_next_save_is_whole(tmp_path):
    context, left = forked(__name__), []
    for step in range(20):
        path = tmp_path / str(step) / "checkpoint.pt"
        checkpoint.save(OLD, path)
        process = context.Process(target=save_and_die, args=(path, step))
        process.start()
        process.join(60)
        left += history(path)
        checkpoint.save(NEW, path)
        assert history(path) == [2]
        assert [file.name for file in path.parent.iterdir()] == ["checkpoint.pt"]
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert left == [1, 1, 1, 2, 2]  # before the folder, the content and the name are on the disk, and after


@pytest.mark.parametrize("written", [0, 1, 500])
def test_part_that_a_kill_left_beside_it_is_written_over(tmp_path, written):
    checkpoint.save(OLD, tmp_path / "checkpoint.pt")
    (tmp_path / "checkpoint.incoming").write_bytes((tmp_path / "checkpoint.pt").read_bytes()[:written])
    assert history(tmp_path / "checkpoint.pt") == [1]
    checkpoint.save(NEW, tmp_path / "checkpoint.pt")
    assert history(tmp_path / "checkpoint.pt") == [2]


def test_every_flipped_byte_and_every_truncation_is_refused(tmp_path):
    path = tmp_path / "checkpoint.pt"
    checkpoint.save(NEW, path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        flipped = bytearray(whole)
        flipped[place] ^= 1
        for spoiled in (flipped, whole[:place]):
            path.write_bytes(spoiled)
            with pytest.raises(TrainingError, match=r"checkpoint\.pt is not what was written.* --restart"):
                checkpoint.load(path, CPU)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EIO])
def test_failing_disk_is_told_and_leaves_a_whole_one(tmp_path, number):
    path, told = tmp_path / "checkpoint.pt", []

    def fail():
        raise OSError(number, "the disk failed")

    for step in range(4):
        checkpoint.save(OLD, path)
        undo = before_step(step, fail)
        try:
            with pytest.raises(
                TrainingError, match=r"checkpoint\.pt cannot be written: the disk failed; what .* goes on"
            ):
                checkpoint.save(NEW, path)
        finally:
            undo()
        told += history(path)
        assert [file.name for file in tmp_path.iterdir()] == ["checkpoint.pt"]
    assert told == [1, 1, 1, 2]


def test_folder_in_place_of_a_checkpoint_is_refused(tmp_path):
    with pytest.raises(TrainingError, match="cannot be read: Is a directory"):
        checkpoint.load(tmp_path, CPU)
