"""What a run has kept survives whatever happens to it, and is of nothing else."""

import pytest

from models.errors import ReparamError
from service.bulk.partial import Partial

HEADER = {"model": "tiny", "samples": 4}
PARTS = [(range(2), b"0,a\n1,b\n"), (range(2, 4), b"2,c\n3,d\n"), (range(4, 5), b"4,e\n")]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "scores.csv.partial"


def kept(path, header=HEADER):
    partial = Partial(path, header)
    try:
        return partial.rows, b"".join(partial.parts())
    finally:
        partial.close()


def write(path, parts=PARTS):
    partial = Partial(path, HEADER)
    for rows, content in parts:
        partial.append(rows, content)
    partial.close()
    return path.read_bytes()


def test_what_was_kept_is_there_again(path):
    write(path)
    assert kept(path) == (5, b"0,a\n1,b\n2,c\n3,d\n4,e\n")


def test_file_cut_anywhere_keeps_its_whole_parts_and_goes_on_to_the_same_bytes(path):
    whole = write(path)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        rows, content = kept(path)
        done = [part for part in PARTS if part[0].stop <= rows]
        assert content == b"".join(part for _, part in done)
        assert write(path, PARTS[len(done) :]) == whole


@pytest.mark.parametrize("tail", [b"\0" * 100, b"[1]\n", b"null\n", b'{"row": 5}\n', b"\xff\n", b'{"bytes": "a"}\n'])
def test_tail_that_is_no_part_is_cut_off(path, tail):
    whole = write(path)
    path.write_bytes(whole + tail)
    assert kept(path)[0] == 5
    assert path.read_bytes() == whole


def test_changed_byte_ends_what_is_kept(path):
    whole = write(path)
    path.write_bytes(whole.replace(b"3,d", b"3,x"))
    assert kept(path) == (2, b"0,a\n1,b\n")


def test_part_out_of_its_place_ends_what_is_kept(path):
    write(path, [PARTS[0], PARTS[2]])
    assert kept(path)[0] == 2


def test_other_run_is_refused_and_left_alone(path):
    whole = write(path)
    with pytest.raises(ReparamError, match="its samples is 4, not 8; give what it was begun with, or delete it"):
        kept(path, HEADER | {"samples": 8})
    assert path.read_bytes() == whole


@pytest.mark.parametrize("content", [b"anything\n", b"[]\n", b"no line"])
def test_other_file_is_refused_and_left_alone(path, content):
    path.write_bytes(content)
    with pytest.raises(ReparamError, match="is no partial result of this command"):
        kept(path)
    assert path.read_bytes() == content


def test_second_run_at_a_time_is_refused(path):
    first = Partial(path, HEADER)
    with pytest.raises(ReparamError, match="another run is writing"):
        Partial(path, HEADER)
    first.close()
    assert kept(path)[0] == 0
