"""The page of the theory: what each experiment shows, its figures, and its claims."""

from collections.abc import Mapping
from html import escape

from training.report.page import beside, facts, page, section, table
from training.theory.claim import Experiment
from training.theory.table import HEAD, cells


def theory_page(measured: Mapping[str, Experiment]) -> bytes:
    """One HTML file without links to others; a section an experiment, named as the command names it."""
    claims = [claim for experiment in measured.values() for claim in experiment.claims]
    head = (
        "<header><h1>The mathematics of the course, measured</h1>\n"
        "<p>Each claim is computed with the losses and families that Reparam trains with. It holds if what is measured "
        "is what is expected, up to rounding, the slack that it names, and four standard errors.</p></header>"
    )
    holding = f"{sum(claim.holds for claim in claims)} of {len(claims)}"
    summary = facts([("Experiments", str(len(measured))), ("Claims that hold", holding)])
    return page(
        "The mathematics of the course, measured",
        head,
        summary,
        _contents(measured),
        *(_section(name, experiment) for name, experiment in measured.items()),
    )


def _contents(measured: Mapping[str, Experiment]) -> str:
    items = (f'<li><a href="#{name}">{escape(one.title)}</a>{_failing(one)}</li>' for name, one in measured.items())
    return f'<nav><ol class="contents">{"".join(items)}</ol></nav>'


def _failing(experiment: Experiment) -> str:
    failing = sum(not claim.holds for claim in experiment.claims)
    return f" <strong>{failing} not holding</strong>" if failing else ""


def _section(name: str, experiment: Experiment) -> str:
    rows = table(HEAD, (cells(claim) for claim in experiment.claims))
    return section(
        name,
        escape(experiment.title),
        experiment.told,
        beside(*experiment.figures),
        f'<div class="claims">{rows}</div>',
    )
