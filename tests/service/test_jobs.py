"""Whatever is merged into a run, each gets its own rows back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from models.noise import Stretch, draw
from service.jobs import Job, Noise, bucket, buckets, merge, pad, split

ASKED = st.lists(
    st.tuples(st.integers(1, 9), st.booleans(), st.integers(0, 3), st.integers(0, 5), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=8,
)


def noise(rows, seed, index, temperature):
    return Noise("normal", "z", (3,), Stretch(seed=seed, index=index, rows=rows, temperature=temperature))


@settings(max_examples=50)
@given(asked=ASKED, padded=st.booleans())
def test_each_gets_its_own_rows_back_whatever_it_was_merged_with(asked, padded):
    """Noise that is drawn for all at once is what each would have drawn alone; some bring it along."""
    jobs = [
        Job(
            rows,
            1,
            ("x", "z"),
            {
                "x": np.full((rows, 2), float(place)),
                "z": np.full((rows, 3), -1, np.float32) if is_given else noise(rows, *drawn),
            },
        )
        for place, (rows, is_given, *drawn) in enumerate(asked)
    ]
    merged = merge(jobs)
    parts = split(pad(merged) if padded else merged, jobs)
    for place, (part, (rows, is_given, seed, index, temperature)) in enumerate(zip(parts, asked, strict=True)):
        assert part["x"].tolist() == [[place, place]] * rows
        alone = draw("normal", "z", (3,), seed=seed, index=index, rows=rows, temperature=temperature)
        assert part["z"].tobytes() == (np.full((rows, 3), -1, np.float32) if is_given else alone).tobytes()


@given(rows=st.integers(1, 5000))
def test_padded_runs_have_one_of_the_numbers_of_rows_that_were_warmed(rows):
    padded = pad({"x": np.arange(rows)})["x"]
    assert len(padded) == bucket(rows) == min(size for size in buckets(rows) if size >= rows)
    assert padded[:rows].tolist() == list(range(rows))
    assert set(padded[rows:]) <= {rows - 1}
