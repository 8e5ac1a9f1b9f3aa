"""A request that was cut and put together again, in whatever order, is what it was."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from service.pieces import Whole, cut

SAMPLES = st.none() | st.builds(lambda start, count: range(start, start + count), st.integers(0, 9), st.integers(1, 20))


@settings(max_examples=100)
@given(rows=st.integers(1, 30), samples=SAMPLES, most=st.integers(1, 40))
def test_pieces_are_small_and_make_the_whole(rows, samples, most):
    axes = (np.arange(rows), np.arange(1000)[samples.start : samples.stop]) if samples else (np.arange(rows),)
    whole = sum(1000**place * axis for place, axis in enumerate(np.ix_(*axes)))
    pieces = list(cut(rows, samples, most))
    together = Whole(rows, samples, pieces)
    assert together.size == whole.size
    for place, piece in reversed(list(enumerate(pieces))):
        here = whole[piece.rows]
        if samples:
            here = here[:, piece.samples.start - samples.start : piece.samples.stop - samples.start]
        assert 0 < here.size <= most
        together.put(place, {"y": here, "z": np.stack((here, -here), axis=-1)})
    np.testing.assert_array_equal(together.arrays["y"], whole)
    np.testing.assert_array_equal(together.arrays["z"], np.stack((whole, -whole), axis=-1))
