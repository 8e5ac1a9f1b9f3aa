"""Whatever is merged into a run, each gets its own rows back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.jobs import Job, bucket, buckets, merge, pad, split

COUNTS = st.lists(st.integers(1, 9), min_size=1, max_size=12)


@settings(max_examples=50)
@given(counts=COUNTS, padded=st.booleans())
def test_each_gets_its_own_rows_back_whatever_it_was_merged_with(counts, padded):
    feeds = [
        {"x": np.full((rows, 2), job) + np.arange(rows)[:, None] / 16, "label": np.full(rows, job)}
        for job, rows in enumerate(counts)
    ]
    merged = merge([Job(rows, 1, (), fed) for rows, fed in zip(counts, feeds, strict=True)])
    parts = split(pad(merged) if padded else merged, counts)
    assert len(parts) == len(feeds)
    for part, fed in zip(parts, feeds, strict=True):
        assert {name: array.tolist() for name, array in part.items()} == {
            name: array.tolist() for name, array in fed.items()
        }


@given(rows=st.integers(1, 5000))
def test_padded_runs_have_one_of_the_numbers_of_rows_that_were_warmed(rows):
    padded = pad({"x": np.arange(rows)})["x"]
    assert len(padded) == bucket(rows) == min(size for size in buckets(rows) if size >= rows)
    assert padded[:rows].tolist() == list(range(rows))
    assert set(padded[rows:]) <= {rows - 1}
