"""Noise is an addressable stream that no library's version can change."""

import math
from hashlib import sha256

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from models.inverse_cdf import INVERSE_CDF
from models.noise import Stretch, _open_uniform, draw, draw_together

SCIPY = {"normal": stats.norm, "logistic": stats.logistic, "gumbel": stats.gumbel_r}
KINDS = sorted(SCIPY)
SEEDS = st.integers(0, 2**53 - 1)
MASK = 2**64 - 1


def philox(counter, key):
    """Philox 4x64-10, from the paper's definition in Python's own integers."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        left, right = 0xD2E7470EE14C6C93 * c0, 0xCA5A826395121157 * c2
        c0, c1, c2, c3 = (right >> 64) ^ c1 ^ k0, right & MASK, (left >> 64) ^ c3 ^ k1, left & MASK
        k0, k1 = (k0 + 0x9E3779B97F4A7C15) & MASK, (k1 + 0xBB67AE8584CAA73B) & MASK
    return c0, c1, c2, c3


def value(kind, name, seed, count, row, sample, position):
    """One value of a row, or of a row's sample, that has `count` of them; by its address alone."""
    key = (seed, int.from_bytes(sha256(name.encode()).digest()[:8], "little"))
    line, place = (0, row) if sample is None else (1 + row, sample)
    block = 1 + place * math.ceil(count / 4) + position // 4
    word = philox((block & MASK, block >> 64, line, 0), key)[position % 4]
    return SCIPY[kind].ppf(((word >> 12) + 0.5) / 2**52)


def test_reference_philox_gives_the_published_answer():
    published = (0x16554D9ECA36314C, 0xDB20FE9D672D0FDC, 0xD7E772CEE186176B, 0x7E68B68AEC7BA23B)
    assert philox((0, 0, 0, 0), (0, 0)) == published


# Seed 42, input `z`, rows 0 and 1, and sample 2 of row 1, computed by `value` above.
@pytest.mark.parametrize(
    ("kind", "first", "second", "sample"),
    [
        (
            "gumbel",
            [4.833978202, 1.300943486, 0.5876475369, -0.4159600888, 0.5344163147],
            [0.2470566944, 1.156628139, 0.168822301, -0.8941725717, -0.4249395271],
            [0.4392552136, -1.530856412, 0.5788955539, 0.1596377916, 0.719423974],
        ),
        (
            "logistic",
            [4.829998159, 1.161719101, 0.2970003821, -1.26784231, 0.2271427072],
            [-0.1687848153, 0.9952365947, -0.2830594607, -2.354621739, -1.285329373],
            [0.09974821868, -4.612253132, 0.2855803064, -0.296685327, 0.4660437081],
        ),
        (
            "normal",
            [2.412431538, 0.7116038671, 0.1858251823, -0.7734541163, 0.1422096136],
            [-0.1057163936, 0.6131790016, -0.177128142, -1.361365463, -0.7835762024],
            [0.06249680992, -2.332705764, 0.1787010461, -0.1856286768, 0.2909283186],
        ),
    ],
)
def test_stream_never_changes(kind, first, second, sample):
    np.testing.assert_array_equal(draw(kind, "z", (5,), seed=42, rows=2), np.float32([first, second]))
    np.testing.assert_array_equal(
        draw(kind, "z", (5,), seed=42, index=1, samples=range(2, 3))[0, 0], np.float32(sample)
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "index", "sample"), [(0, 0, 0), (7, 3, 2), (2**53 - 1, 10**9, 9_999)])
def test_value_of_a_sample_depends_on_its_address_alone(kind, seed, index, sample):
    drawn = draw(kind, "epsilon", (2, 3), seed=seed, index=index, samples=range(sample, sample + 1))
    expected = [value(kind, "epsilon", seed, 6, index, sample, position) for position in range(6)]
    np.testing.assert_allclose(drawn.ravel(), expected, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("seed", "index"), [(0, 0), (7, 3), (2**53 - 1, 10**9), (1, 2**63)])
def test_value_of_a_row_depends_on_its_address_alone(kind, seed, index):
    drawn = draw(kind, "epsilon", (2, 3), seed=seed, index=index)
    expected = [value(kind, "epsilon", seed, 6, index, None, position) for position in range(6)]
    np.testing.assert_allclose(drawn.ravel(), expected, rtol=1e-6)


def test_uniform_stays_half_a_step_from_either_end():
    ends = np.array([0, 2**12 - 1, 2**12, MASK], np.uint64)
    assert _open_uniform(ends).tolist() == [2.0**-53, 2.0**-53, 3 * 2.0**-53, 1 - 2.0**-53]


@pytest.mark.parametrize("kind", KINDS)
def test_inverse_cdf_is_accurate_to_the_ends(kind):
    ends = 2.0 ** -np.arange(2, 54)
    u = np.concatenate([np.linspace(0.001, 0.999, 999), ends, 1 - ends])
    np.testing.assert_allclose(INVERSE_CDF[kind](u), SCIPY[kind].ppf(u), rtol=1e-12, atol=1e-15)


@given(seed=SEEDS, index=st.integers(0, 2**40), rows=st.integers(1, 20), skipped=st.integers(0, 19))
def test_row_is_the_same_alone_and_in_a_crowd(seed, index, rows, skipped):
    crowd = draw("normal", "z", (3,), seed=seed, index=index, rows=rows)
    alone = draw("normal", "z", (3,), seed=seed, index=index + skipped % rows)
    assert crowd[skipped % rows].tobytes() == alone.tobytes()


STRETCHES = st.lists(
    st.builds(Stretch, SEEDS, st.integers(0, 2**40), st.integers(0, 5), st.none(), st.sampled_from([0.0, 0.5, 1.0])),
    min_size=1,
    max_size=5,
)


@given(kind=st.sampled_from(KINDS), stretches=STRETCHES)
def test_stretches_drawn_together_are_what_each_gives_alone(kind, stretches):
    together = draw_together(kind, "z", (3, 2), stretches)
    alone = [draw(kind, "z", (3, 2), **vars(stretch)) for stretch in stretches]
    assert together.tobytes() == np.concatenate(alone).tobytes()


def test_large_rows_are_drawn_as_small_ones_are():
    whole = draw("gumbel", "z", (20_003,), seed=4, rows=2)
    positions = [0, 15_999, 16_000, 20_002]
    expected = [value("gumbel", "z", 4, 20_003, 1, None, position) for position in positions]
    np.testing.assert_allclose(whole[1, positions], expected, rtol=1e-6)


@given(seed=SEEDS, start=st.integers(0, 100), count=st.integers(1, 9), longer=st.integers(0, 9))
def test_longer_draw_starts_with_the_shorter(seed, start, count, longer):
    short = draw("gumbel", "z", (3,), seed=seed, rows=2, samples=range(start, start + count))
    long = draw("gumbel", "z", (3,), seed=seed, rows=2 + longer, samples=range(start + count + longer))
    assert long[:2, start : start + count].tobytes() == short.tobytes()


@st.composite
def within(draw_value, most):
    """A range, and one that lies in it."""
    outer, inner = (sorted(draw_value(st.tuples(*[st.integers(0, most)] * 2))) for _ in range(2))
    start, stop = min(outer[0], inner[0]), max(outer[1], inner[1])
    return range(start, stop), range(*inner)


@settings(max_examples=50)
@given(
    kind=st.sampled_from(KINDS),
    seed=SEEDS,
    rows=within(12),
    samples=within(12),
    shape=st.sampled_from([(), (1,), (3,), (4,), (5,), (2, 3)]),
)
def test_any_rows_and_samples_are_those_of_any_larger_draw(kind, seed, rows, samples, shape):
    def drawn(rows, samples):
        return draw(kind, "z", shape, seed=seed, index=rows.start, rows=len(rows), samples=samples)

    (all_rows, some_rows), (all_samples, some_samples) = rows, samples
    whole, part = drawn(all_rows, all_samples), drawn(some_rows, some_samples)
    row, sample = some_rows.start - all_rows.start, some_samples.start - all_samples.start
    taken = whole[row : row + len(some_rows), sample : sample + len(some_samples)]
    assert taken.shape == part.shape == (len(some_rows), len(some_samples), *shape)
    assert taken.tobytes() == part.tobytes()


@pytest.mark.parametrize(("rows", "samples", "shape"), [(0, None, (0, 2)), (3, range(0), (3, 0, 2))])
def test_nothing_asked_for_is_an_empty_draw(rows, samples, shape):
    assert draw("normal", "z", (2,), seed=0, rows=rows, samples=samples).shape == shape


def test_seed_name_row_and_sample_each_give_other_noise():
    drawn = [
        draw("normal", name, (4,), seed=seed, index=index, samples=samples).tobytes()
        for name in ("z", "epsilon")
        for seed in (0, 1)
        for index in (0, 1)
        for samples in (None, range(1), range(1, 2))
    ]
    assert len(set(drawn)) == 24


@pytest.mark.parametrize("kind", KINDS)
def test_temperature_multiplies(kind):
    plain = draw(kind, "z", (100,), seed=3, rows=2)
    np.testing.assert_array_equal(draw(kind, "z", (100,), seed=3, rows=2, temperature=0.5), plain / 2)


@pytest.mark.parametrize("kind", KINDS)
def test_temperature_zero_gives_the_same_bytes_for_every_seed(kind):
    for seed in range(20):
        assert draw(kind, "z", (50,), seed=seed, temperature=0).tobytes() == bytes(50 * 4)


@pytest.mark.parametrize(
    ("kind", "mean", "variance"),
    [("normal", 0, 1), ("logistic", 0, math.pi**2 / 3), ("gumbel", np.euler_gamma, math.pi**2 / 6)],
)
def test_moments_are_those_of_the_distribution(kind, mean, variance):
    drawn = draw(kind, "z", (100,), seed=11, rows=2000).astype(np.float64).ravel()
    squares = (drawn - mean) ** 2
    assert abs(drawn.mean() - mean) < 4 * drawn.std() / math.sqrt(drawn.size)
    assert abs(squares.mean() - variance) < 4 * squares.std() / math.sqrt(drawn.size)
