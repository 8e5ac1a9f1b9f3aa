"""A .csv is read as programs write it, or refused with the row that is wrong."""

import numpy as np
import pytest

from training import datasets
from training.errors import DataError

ROWS = [f"{k},{10 * k}" for k in range(20)]


@pytest.fixture
def csv(tmp_path):
    """csv(lines or bytes): a file of them."""

    def write(content):
        path = tmp_path / "own.csv"
        path.write_bytes(content if isinstance(content, bytes) else "\n".join(content).encode() + b"\n")
        return str(path)

    return write


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfa, b\r\n" + b"".join(b"%d, %d\r\n" % (k, 2 * k) for k in range(20)),
        b'"a","b"\n' + b"".join(b'"%d","+%de0"\n' % (k, 2 * k) for k in range(20)),
        b"0,1\n" + b"".join(b"%d,%d.\n" % (k, 2 * k) for k in range(20)),
        b"1,2\n" + b"".join(b"%d,%d" % (k, 2 * k) + b"\n" * (k < 19) for k in range(20)),
    ],
)
def test_csv_is_read_as_programs_write_it(csv, content):
    own = datasets.load(csv(content))
    assert sorted(np.concatenate([own.train, own.validation, own.test]).tolist()) == [[k, 2 * k] for k in range(20)]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "own.csv has no header; its first row names the columns"),
        (b"\na,b\n1,2\n", "own.csv has no header"),
        (["1.5,2", *ROWS], 'the header holds the number "1.5"; the first row names the columns'),
        (["0.1,2,setosa", *ROWS], 'the header holds the number "0.1"'),
        (["0,0", *ROWS], 'the header holds the number "0"'),
        (["a;b", "1;2"], 'the header is "a;b"; commas are needed between the columns'),
        (["a,a", *ROWS], 'own.csv has two columns "a"'),
        ([",a", *ROWS], 'column 1, "", has no name of its own; are these row numbers?'),
        (["Unnamed: 0,a", *ROWS], 'column 1, "Unnamed: 0", has no name of its own'),
        (["a,b", *ROWS, "1,2,3"], "own.csv, row 21 below the header: 3 fields for 2 columns"),
        (["a,b", *ROWS, "1"], 'row 21 below the header, column "b": nothing stands there'),
        (["a,b", *ROWS, ""], 'row 21 below the header, column "a": nothing stands there'),
        (["a,b", *ROWS[:9]], "own.csv has 9 rows; at least 10 are needed"),
        (["a,b"], "own.csv has 0 rows; at least 10 are needed"),
        (["label", *"abcdefghijk"], "own.csv has no column of numbers"),
        ("größe,b\n1,2\n".encode("latin-1"), "own.csv is not a readable .csv in UTF-8: .*can't decode"),
        ("a,b\n1,größe\n".encode("latin-1"), "own.csv is not a readable .csv in UTF-8: .*can't decode"),
        (b"a,b\n" + b"1,2\n" * 9999 + b"1,\xf6\n", "own.csv is not a readable .csv: invalid utf-8 sequence"),
        (["a,b", '"1,2', *ROWS], "own.csv is not a readable .csv: "),
    ],
)
def test_csv_that_is_no_table_of_numbers_is_refused(csv, content, complaint):
    with pytest.raises(DataError, match=complaint):
        datasets.load(csv(content))
