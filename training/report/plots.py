"""Plots as SVG inside a page: their colours are those of the page's style, and equal data give equal bytes."""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Literal, NamedTuple

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

Array = NDArray[np.generic]
Numbers = Sequence[float] | NDArray[np.floating]

# Colours that nothing else has: each stands for a variable of the page's style until the SVG is written.
_INK, _LINE, _FIRST, _SECOND = (f"#00000{number}" for number in range(1, 5))
_VARIABLES = {_INK: "var(--muted)", _LINE: "var(--line)", _FIRST: "var(--first)", _SECOND: "var(--second)"}
_STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "reparam",
    "font.sans-serif": ["DejaVu Sans"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.linewidth": 0.5,
    "legend.frameon": False,
    "legend.handlelength": 1.2,
    "lines.linewidth": 1.6,
    **dict.fromkeys(("font.size", "axes.titlesize"), 9),
    **dict.fromkeys(("xtick.major.size", "ytick.major.size"), 0),
    **dict.fromkeys(("text.color", "axes.labelcolor", "xtick.color", "ytick.color"), _INK),
    **dict.fromkeys(("axes.edgecolor", "grid.color"), _LINE),
}
_DRAWN = {
    "line": {"linestyle": "-"},
    "dashes": {"linestyle": (0, (4, 2))},
    "points": {"linestyle": "none", "marker": "o", "markersize": 4.5},
}
_SIZE = (4.2, 2.8)  # inches; on a phone that is about its own size, and the text stays readable
_SQUARE = (4.2, 4.2)
_WIDE = 8.4


def curves(series: Mapping[str, Sequence[float]], best: int | None, *, name: str) -> str:
    """One or two lines over the epochs, counted from 1, seen as they are when a tenth of the epochs is over."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes(_SIZE)
        for color, (key, values) in zip((_FIRST, _SECOND), series.items(), strict=False):
            axes.plot(range(1, len(values) + 1), values, color=color, label=key)
        settled = np.concatenate([values[len(values) // 10 :] for values in series.values()])
        margin = 0.05 * np.ptp(settled) or 1.0
        axes.set_ylim(settled.min() - margin, settled.max() + margin)
        if best is not None:
            axes.axvline(best, color=_INK, linewidth=1, linestyle=(0, (3, 2)), label=f"best, epoch {best}")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.legend()
        last = " and ".join(f"{key}, at last {values[-1]:.4g}" for key, values in series.items())
        return _svg(figure, name, f"Over the epochs: {last}")


class Line(NamedTuple):
    """Where it goes, with the standard error of each of its places."""

    across: Numbers
    up: Numbers
    error: Numbers | None = None
    style: Literal["line", "dashes", "points"] = "line"
    color: Literal["first", "second", "ink"] = "first"


_PLACES: tuple[tuple[Literal["first", "second", "ink"], Literal["line", "dashes"]], ...] = (
    ("first", "line"),
    ("second", "line"),
    ("ink", "dashes"),
)


def lines(
    series: Mapping[str, Line],
    *,
    across: str,
    up: str,
    name: str,
    logarithmic: Literal["", "x", "y", "xy"] = "",
) -> str:
    """Lines and points over a common axis, each error bar two standard errors to either side."""
    colors = {"first": _FIRST, "second": _SECOND, "ink": _INK}
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes(_SIZE)
        for key, line in series.items():
            error = None if line.error is None else 2 * np.asarray(line.error)
            axes.errorbar(
                line.across, line.up, error, color=colors[line.color], label=key, elinewidth=1, **_DRAWN[line.style]
            )
        axes.set(xlabel=across, ylabel=up)
        axes.set(**{f"{axis}scale": "log" for axis in logarithmic})
        axes.legend()
        ends = " and ".join(f"{key}, from {line.up[0]:.4g} to {line.up[-1]:.4g}" for key, line in series.items())
        return _svg(figure, name, f"{up} over {across}: {ends}")


def bars(values: Array, *, across: str, up: str, name: str) -> str:
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes(_SIZE)
        axes.bar(range(1, len(values) + 1), values, color=_FIRST, width=0.8)
        axes.grid(axis="x", visible=False)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set(xlabel=across, ylabel=up)
        return _svg(figure, name, f"{len(values)} bars, from {values[0]:.3g} to {values[-1]:.3g} {up}")


def scatter(clouds: Mapping[str, Array], *, name: str, reach: float | None = None) -> str:
    """One or two clouds of points, (rows, 2) each; with a `reach` the axes go so far from 0, and no further."""
    with matplotlib.rc_context(_STYLE):
        figure, axes = _axes(_SQUARE)
        for color, (key, points) in zip((_FIRST, _SECOND), clouds.items(), strict=False):
            axes.scatter(*points.T, s=7, color=color, alpha=0.6, linewidths=0, label=key)
        if reach is not None:
            axes.set(xlim=(-reach, reach), ylim=(-reach, reach))
        axes.legend(loc="upper right", markerscale=2)
        return _svg(figure, name, f"Points in the plane: {' and '.join(clouds)}")


def functions(
    known: Mapping[str, tuple[Numbers, Numbers]],
    measured: Mapping[str, tuple[Numbers, Numbers]],
    *,
    across: str,
    up: str,
    name: str,
    logarithmic: bool = False,
) -> str:
    """Up to three lines of one variable, and as many rows of points, each in the colour of the line in its place.

    Each is (across, up); where it is `logarithmic`, up.
    """
    drawn = {
        key: Line(*known[key], style=style, color=color) for key, (color, style) in zip(known, _PLACES, strict=False)
    }
    points = {
        key: Line(*measured[key], style="points", color=color)
        for key, (color, _) in zip(measured, _PLACES, strict=False)
    }
    return lines(drawn | points, across=across, up=up, name=name, logarithmic="y" if logarithmic else "")


def multiples(rows: Mapping[str, Sequence[Array]], marks: Array, columns: Sequence[str], *, name: str) -> str:
    """Small clouds of points of the plane beside each other, all to one scale; `marks` (n, 2) are in each of them."""
    reach = 1.25 * np.abs(marks).max()
    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDE, _WIDE / len(columns) * len(rows)), layout="constrained")
        grid = figure.subplots(len(rows), len(columns), squeeze=False)
        for (key, clouds), row in zip(rows.items(), grid, strict=True):
            row[0].set_ylabel(key)
            for points, axes in zip(clouds, row, strict=True):
                axes.scatter(*marks.T, s=40, facecolors="none", edgecolors=_INK, linewidths=0.5)
                axes.scatter(*points.T, s=3, color=_FIRST, alpha=0.6, linewidths=0)
                axes.set(xlim=(-reach, reach), ylim=(-reach, reach), xticks=[], yticks=[], aspect="equal")
        for axes, column in zip(grid[0], columns, strict=True):
            axes.set_title(column)
        return _svg(figure, name, f"Points of {', '.join(rows)}, each at {len(columns)} times", wide=True)


def _axes(size: tuple[float, float]) -> tuple[Figure, Axes]:
    figure = Figure(figsize=size, layout="constrained")
    return figure, figure.add_subplot()


def _svg(figure: Figure, name: str, description: str, *, wide: bool = False) -> str:
    """The bare element; `name` keeps its ids apart from those of the page's other plots."""
    buffer = io.BytesIO()
    nothing = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    figure.savefig(buffer, format="svg", transparent=True, metadata=nothing)
    svg = re.sub(r"<style.*?</style>", "", buffer.getvalue().decode(), flags=re.DOTALL)
    svg = re.sub(r'(id="|href="#|url\(#)', rf"\g<1>{name}-", svg[svg.index("<svg") :])
    for color, variable in _VARIABLES.items():
        svg = svg.replace(color, variable)
    style = 'style="max-width: 100%" ' if wide else ""
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(description)}" {style}', 1)
