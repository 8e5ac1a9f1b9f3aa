"""The distribution of latencies as a picture: SVG that stands within a page."""

import math
from collections.abc import Sequence
from html import escape
from typing import Any

COLOURS = ("#2563eb", "#d97706", "#059669", "#dc2626", "#7c3aed", "#0891b2", "#be185d", "#4d7c0f")
_WIDTH, _HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 860, 380, 64, 16, 12, 40
_PERCENTS = (0, 50, 90, 99, 99.9, 99.99, 99.999)


def curve(runs: Sequence[dict[str, Any]]) -> str:
    """Latency over percentile, both on logarithmic axes: the tail is where loads differ."""
    drawn = [run for run in runs if run["curve"]]
    if not drawn:
        return "<p>No request was answered.</p>"
    times = [max(time, 0.001) for run in drawn for _, time in run["curve"]]
    low, high = math.floor(math.log10(min(times))), math.ceil(math.log10(max(times)) + 1e-9)
    far = max(2.0, *(_tail(run["curve"][-1][0]) for run in drawn))

    def x(percent: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * _tail(percent) / far

    def y(time: float) -> float:
        height = _HEIGHT - _TOP - _BOTTOM
        return _TOP + height * (high - math.log10(max(time, 0.001))) / max(high - low, 1)

    parts = [_across(x(percent), f"{percent:g}") for percent in _PERCENTS if _tail(percent) <= far]
    parts += [_along(y(10.0**power), f"{10.0**power:g}") for power in range(low, high + 1)]
    for number, run in enumerate(drawn):
        points = " ".join(f"{x(percent):.1f},{y(time):.1f}" for percent, time in run["curve"])
        colour = COLOURS[number % len(COLOURS)]
        title = f"<title>{escape(run['load'])}</title>"
        parts.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}">{title}</polyline>')
    middle = (_LEFT + _WIDTH) // 2
    parts.append(f'<text x="{middle}" y="{_HEIGHT - 4}" text-anchor="middle">percentile of answered requests</text>')
    label = "latency in milliseconds over percentile"
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _tail(percent: float) -> float:
    return -math.log10(max(1 - percent / 100, 1e-9))


def _across(x: float, text: str) -> str:
    bottom = _HEIGHT - _BOTTOM
    line = f'<line x1="{x:.1f}" y1="{_TOP}" x2="{x:.1f}" y2="{bottom}"/>'
    return f'{line}<text x="{x:.1f}" y="{bottom + 16}" text-anchor="middle">{text}</text>'


def _along(y: float, text: str) -> str:
    line = f'<line x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - _RIGHT}" y2="{y:.1f}"/>'
    return f'{line}<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{text} ms</text>'
