"""reparam-key prints a key once, and adds its hash to a file that only its owner may read."""

import pytest

from service import new_key
from service.keys import Keys


@pytest.fixture
def make(monkeypatch, capsys, tmp_path):
    """make(words): its exit status, and what it printed and complained of."""

    def run(*words):
        monkeypatch.setattr("sys.argv", ["reparam-key", str(tmp_path / "keys"), *words])
        return new_key.main(), *capsys.readouterr()

    return run


def test_printed_key_holds_with_what_was_asked_for(make, tmp_path):
    status, printed, _ = make("alice", "--scopes", "infer", "admin", "--rate", "5/second")
    key = Keys(tmp_path / "keys").find(printed.strip().encode())
    assert status == 0
    assert (key.name, key.scopes, key.rate.amount) == ("alice", {"infer", "admin"}, 5)
    assert printed.strip() not in (tmp_path / "keys").read_text()


def test_further_keys_leave_those_that_are_there(make, tmp_path):
    first, second = (make(name)[1].strip() for name in ("alice", "bob"))
    keys = Keys(tmp_path / "keys")
    assert [keys.find(text.encode()).name for text in (first, second)] == ["alice", "bob"]


def test_file_without_a_last_newline_is_gone_on_with_on_a_new_line(make, tmp_path):
    make("alice")
    file = tmp_path / "keys"
    file.write_text(file.read_text().rstrip("\n"))
    assert make("bob")[0] == 0
    assert Keys(file).has("alice")
    assert Keys(file).has("bob")


def test_file_is_its_owners_alone(make, tmp_path):
    make("alice")
    assert (tmp_path / "keys").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("words", [["Alice"], ["alice", "--rate", "often"]])
def test_what_would_not_be_read_is_not_written(make, tmp_path, words):
    status, printed, complaint = make(*words)
    assert (status, printed) == (1, "")
    assert complaint.startswith("reparam-key: ")
    assert not (tmp_path / "keys").exists()


def test_name_that_is_taken_is_refused(make, tmp_path):
    make("alice")
    before = (tmp_path / "keys").read_text()
    assert make("alice")[0] == 1
    assert (tmp_path / "keys").read_text() == before
