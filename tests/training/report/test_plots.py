"""A plot shows its data, in the colours of its page."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from training.report.plots import Line, bars, curves, functions, lines, multiples, scatter

SVG = "{http://www.w3.org/2000/svg}"
DRAWN = {
    "curves": lambda: curves({"loss": [3.0, 2.0, 1.0], "validation": [4.0, 2.0, 3.0]}, 2, name="a"),
    "bars": lambda: bars(np.array([2.0, 1.0]), across="dimensions", up="nats", name="a"),
    "functions": lambda: functions(
        {"known": (np.arange(3), np.array([1.0, 2, 4])), "other": (np.arange(3), np.ones(3))},
        {"measured": (np.arange(3), np.array([1.0, 2, 4]))},
        across="theta",
        up="nats",
        name="a",
    ),
    "multiples": lambda: multiples(
        {"one": [np.zeros((2, 2)), np.ones((3, 2))]}, np.eye(2), ["step 1", "step 2"], name="a"
    ),
    "lines": lambda: lines(
        {
            "known": Line((1, 10, 100), (1.0, 2.0, 3.0)),
            "measured": Line((1, 100), (1.5, 2.5), (0.25, 0.5), style="points", color="second"),
            "limit": Line((1, 100), (3.0, 3.0), style="dashes", color="ink"),
        },
        across="K",
        up="nats",
        name="a",
        logarithmic="x",
    ),
    "scatter": lambda: scatter({"data": np.zeros((2, 2)), "samples": np.ones((3, 2))}, name="a"),
}


def line(plot, color):
    """The points of the line of a colour, (n, 2), x to the right and y upwards."""
    paths = [path for path in ElementTree.fromstring(plot).iter(f"{SVG}path") if color in path.get("style", "")]
    [longest] = [path for path in paths if path.get("clip-path")]
    return np.array(re.findall(r"[\d.]+", longest.get("d")), float).reshape(-1, 2) * [1, -1]


def texts(plot):
    return [text.text for text in ElementTree.fromstring(plot).iter(f"{SVG}text")]


@pytest.mark.parametrize("kind", DRAWN)
def test_equal_data_give_equal_bytes(kind):
    assert DRAWN[kind]() == DRAWN[kind]()


@pytest.mark.parametrize("kind", DRAWN)
def test_colours_are_the_pages(kind):
    styles = ";".join(element.get("style", "") for element in ElementTree.fromstring(DRAWN[kind]()).iter())
    assert set(re.findall(r"(?:fill|stroke): ([^;]+)", styles)) <= {
        "none",
        *(f"var(--{name})" for name in ("muted", "line", "first", "second")),
    }


@pytest.mark.parametrize("kind", DRAWN)
def test_a_plot_says_what_it_is(kind):
    root = ElementTree.fromstring(DRAWN[kind]())
    assert root.get("role") == "img"
    assert root.get("aria-label")


def test_ids_begin_with_the_plots_name():
    elements = list(ElementTree.fromstring(DRAWN["curves"]()).iter())
    assert all(element.get("id", "a-").startswith("a-") for element in elements)
    assert len({element.get("id") for element in elements if element.get("id")}) > 1


def test_a_curve_goes_through_its_values_and_the_best_epoch_is_marked():
    plot = curves({"loss": [1.0, 4.0, 2.0]}, 2, name="a")
    points = line(plot, "var(--first)")
    right, up = np.diff(points, axis=0).T
    np.testing.assert_allclose(right, right[0])
    np.testing.assert_allclose(up / up[0], [1, -2 / 3], rtol=1e-4)  # from 1 to 4 to 2
    assert {"loss", "best, epoch 2", "epoch"} <= set(texts(plot))
    mark = line(plot, "var(--muted)")
    np.testing.assert_allclose(mark[:, 0], points[1, 0], rtol=1e-4)


def test_the_axis_leaves_out_how_the_first_tenth_began():
    labels = texts(
        curves(
            {
                "loss": [1000.0]
                + 19
                * [
                    1.0,
                ]
                + [2.0]
            },
            None,
            name="a",
        )
    )
    assert "1000" not in labels
    assert "1.0" in labels


def test_a_constant_and_a_single_epoch_can_be_drawn():
    assert "loss" in texts(curves({"loss": [1.0]}, 1, name="a"))


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_function_is_drawn_to_scale_and_what_was_measured_in_its_colour(logarithmic):
    x, y = np.array([0.0, 1, 2]), np.array([1.0, 10, 100])
    plot = functions({"known": (x, y)}, {"measured": (x, y)}, across="x", up="y", name="a", logarithmic=logarithmic)
    (right, up), steps = np.diff(line(plot, "var(--first)"), axis=0).T, [1, 1] if logarithmic else [1, 10]
    np.testing.assert_allclose(right, right[0], rtol=1e-4)
    np.testing.assert_allclose(up / up[0], steps, rtol=1e-4)
    markers = [use for use in ElementTree.fromstring(plot).iter(f"{SVG}use") if "var(--first)" in use.get("style", "")]
    assert len(markers) == 3 + 1  # and the legend's
    assert {"known", "measured", "x", "y"} <= set(texts(plot))


def test_small_multiples_hold_each_cloud_at_its_time_among_the_marks():
    plot = multiples(
        {"one": [np.zeros((2, 2)), np.zeros((4, 2))], "other": [np.zeros((3, 2))] * 2}, np.eye(2), ["1", "2"], name="a"
    )
    parts = [part for part in ElementTree.fromstring(plot).iter(f"{SVG}g") if "PathCollection" in part.get("id", "")]
    assert [len(list(part.iter(f"{SVG}use"))) for part in parts] == [2, 2, 2, 4, 2, 3, 2, 3]
    assert {"one", "other", "1", "2"} <= set(texts(plot))


def test_lines_go_through_their_values_on_the_axis_that_is_asked_for():
    right, up = np.diff(line(DRAWN["lines"](), "var(--first)"), axis=0).T
    np.testing.assert_allclose(right, right[0], rtol=1e-4)  # from 1 to 10 to 100
    np.testing.assert_allclose(up, up[0], rtol=1e-4)  # from 1 to 2 to 3
    assert {"known", "measured", "limit", "K", "nats"} <= set(texts(DRAWN["lines"]()))


def test_an_error_bar_is_two_standard_errors_to_either_side():
    plot = DRAWN["lines"]()
    unit = np.diff(line(plot, "var(--first)"), axis=0)[0, 1]
    paths = ElementTree.fromstring(plot).iter(f"{SVG}path")
    bars_of = [path.get("d") for path in paths if "var(--second)" in path.get("style", "") and path.get("clip-path")]
    ends = [np.array(re.findall(r"[\d.]+", path), float).reshape(-1, 2) for path in bars_of]
    heights = [float(np.ptp(points[:, 1])) for points in ends if np.ptp(points[:, 0]) == 0]
    np.testing.assert_allclose(sorted(heights), [4 * 0.25 * unit, 4 * 0.5 * unit], rtol=1e-4)


def test_points_beyond_the_reach_are_left_out_of_the_axes():
    clouds = {"data": np.array([[0.5, 0.5], [90.0, 0.0]])}
    assert "80" in texts(scatter(clouds, name="a"))
    assert "80" not in texts(scatter(clouds, name="a", reach=1.0))
