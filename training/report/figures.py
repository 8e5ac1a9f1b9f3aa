"""Figures as people read them, and the one by which a model is judged first."""

import re
from collections.abc import Mapping
from math import floor, log10
from typing import NamedTuple

import numpy as np

from models.manifest import Manifest
from models.provenance import Figure
from training.evaluation.figures import mean_figure
from training.recipe import Headline

_BOUND = re.compile(r"bound_(\d+)")
_LOG_PROBABILITY = re.compile(r"bound_\d+|log_prob|judged_\w+")


class Judged(NamedTuple):
    """What was obtained and what others published for it, as text; a dash where there is nothing."""

    obtained: str
    published: str


def judged(manifest: Manifest) -> Judged:
    """By the recipe's headline; without one by log p(x), its tightest bound on the most examples, or the first figure.

    A log-probability is given as what the papers give: its negative, an NLL.
    """
    if not manifest.provenance.figures:
        return Judged("-", "-")
    headline = _headline(manifest)
    figure = manifest.provenance.figures[headline.figure]
    sign = -1 if _LOG_PROBABILITY.fullmatch(headline.figure) else 1
    shown = figure.model_copy(update={"value": sign * figure.value})
    value = " ± ".join(filter(None, measured(shown)))
    obtained = " ".join(filter(None, (value, figure.unit, f"({_method(headline.figure)})")))
    if headline.published is None:
        return Judged(obtained, "-")
    return Judged(obtained, f"{sign * headline.published:g} ({headline.source or 'no source'})")


def measured(figure: Figure) -> tuple[str, str]:
    """The value, to the second digit of its standard error, and that error; empty where it says nothing."""
    if not figure.std_error:
        return f"{figure.value:.5g}", ""
    decimals = max(0, 1 - floor(log10(figure.std_error)))
    return f"{figure.value:.{decimals}f}", f"{figure.std_error:.{decimals}f}"


def over_seeds(manifest: Manifest) -> dict[str, Figure]:
    """The mean over the seeds, and its standard error, of each figure that was measured with several."""
    made = manifest.provenance
    return {
        name: mean_figure(np.array([made.figures[name].value, *others]), made.figures[name].unit, "seeds")
        for name, others in made.other_seeds.items()
        if name in made.figures
    }


def all_figures(manifest: Manifest) -> Mapping[str, Figure]:
    """Those of the model, and behind them those over seeds."""
    return {**manifest.provenance.figures, **{f"{name}, seeds": mean for name, mean in over_seeds(manifest).items()}}


def _headline(manifest: Manifest) -> Headline:
    figures = manifest.provenance.figures
    given = manifest.provenance.recipe.get("headline")
    if given and (headline := Headline.model_validate(given)).figure in figures:
        return headline
    bounds = [
        (figure.examples, int(match[1]), name) for name, figure in figures.items() if (match := _BOUND.fullmatch(name))
    ]
    first = "log_prob" if "log_prob" in figures else next(iter(figures))
    return Headline(figure=max(bounds)[2] if bounds else first)


def _method(name: str) -> str:
    bound = _BOUND.fullmatch(name)
    if bound:
        return f"IW-{bound[1]}"
    return "exact" if name == "log_prob" else name.replace("_", " ")
