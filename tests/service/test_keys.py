"""Keys come from a file of hashes, hold from its last good state, and are told apart by their whole text."""

import hashlib

import pytest

from service.keys import BadKeys, Keys, line_of, rate_of, text_of


def write(path, *texts, scopes=("infer",), rate=""):
    path.write_text("".join(f"{line_of(text, list(scopes), rate)}\n" for text in texts))


@pytest.fixture
def file(tmp_path):
    return tmp_path / "keys"


def test_key_is_found_by_its_whole_text(file):
    text = text_of("alice")
    write(file, text, text_of("bob"), scopes=("infer", "admin"), rate="5/minute")
    key = Keys(file).find(text.encode())
    assert (key.name, key.scopes) == ("alice", {"infer", "admin"})
    assert (key.rate.amount, key.rate.get_expiry()) == (5, 60)


@pytest.mark.parametrize("change", [lambda t: t + "x", lambda t: t[:-1], lambda t: "", lambda t: "alice.", str.upper])
def test_text_that_is_another_finds_no_key(file, change):
    text = text_of("alice")
    write(file, text)
    assert Keys(file).find(change(text).encode()) is None


def test_file_has_the_hash_and_not_the_key(file):
    text = text_of("alice")
    write(file, text)
    assert text.partition(".")[2] not in file.read_text()
    assert hashlib.sha256(text.encode()).hexdigest() in file.read_text()


def test_two_keys_of_one_name_differ():
    assert text_of("alice") != text_of("alice")


def test_file_that_changes_is_read_again(file):
    old, new = text_of("alice"), text_of("bob")
    write(file, old)
    keys = Keys(file)
    write(file, new, old.replace("alice", "carol"))
    assert keys.find(old.encode()) is None
    assert keys.find(new.encode()).name == "bob"


@pytest.mark.parametrize(
    "spoil", [lambda f: f.unlink(), lambda f: f.write_text("alice\n"), lambda f: f.write_text("ä")]
)
def test_file_that_cannot_be_read_leaves_the_last_keys(file, spoil):
    text = text_of("alice")
    write(file, text)
    keys = Keys(file)
    spoil(file)
    assert keys.find(text.encode()).name == "alice"


def test_comments_and_empty_lines_are_no_keys(file):
    write(file, text_of("alice"))
    file.write_text(f"# of the team\n\n{file.read_text()}")
    assert Keys(file).has("alice")


GOOD = "a" * 64


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        (f"Alice {GOOD} infer", "NAME SHA256"),
        ("alice abc infer", "NAME SHA256"),
        (f"alice {GOOD}", "scopes are infer, metadata, admin"),
        (f"alice {GOOD} all", "scopes are infer, metadata, admin"),
        (f"alice {GOOD} infer often", "100/minute"),
        (f"bob {GOOD} infer", "twice"),
    ],
)
def test_line_that_is_wrong_is_refused_with_its_number(file, line, complaint):
    file.write_text(f"bob {GOOD} infer\n{line}\n")
    with pytest.raises(BadKeys, match=f"line 2 .*{complaint}"):
        Keys(file)


def test_missing_file_is_refused_at_the_start(file):
    with pytest.raises(BadKeys):
        Keys(file)


def test_no_rate_is_none_and_nonsense_is_refused():
    assert rate_of("") is None
    with pytest.raises(BadKeys):
        rate_of("often")
