"""The card of a bundle: what a person reads of it first."""

from collections.abc import Mapping, Sequence

from models.manifest import OPERATIONS, Manifest
from models.provenance import Figure
from training.report.figures import all_figures


def card(manifest: Manifest, history: Sequence[Mapping[str, float]] = ()) -> str:
    """What the model is, its data, its figures with their errors, and its limits, in Markdown.

    `history` has a row an epoch.
    """
    made, figures = manifest.provenance, all_figures(manifest)
    operations = manifest.operations
    kind = "none" if "score" not in operations else "bound" if operations["score"].noise else "exact"
    return _CARD.format(
        name=manifest.name,
        version=manifest.version,
        title=manifest.title,
        family=manifest.family,
        parameters=made.parameters,
        data=made.data,
        digest=made.data_digest[:16],
        given=", given its label" if manifest.labels else "",
        x=f"{manifest.x.support} {manifest.x.kind}s of shape {list(manifest.shapes['x'])}",
        chosen=_LAST if history and "validation" not in history[-1] else _BEST,
        minutes=made.minutes,
        seed=made.recipe["seed"],
        figures="\n".join(map(_figure_row, figures, figures.values())),
        seeds=", or over the seeds where it says so" if made.other_seeds else "",
        command=made.command,
        can="\n".join(
            f"- `{name}`: {', '.join(operations[name].outputs)}" for name in OPERATIONS if name in operations
        ),
        cannot="\n".join(f"- `{name}`: {manifest.absent[name]}." for name in OPERATIONS if name in manifest.absent),
        log_prob=_LOG_PROB[kind],
        notes="".join(f"- {_filled(note, made.figures)}\n" for note in made.recipe.get("notes", ())),
        limits=_LIMITS[kind] + (_COMPLETION if "complete" in operations else ""),
    )


def _figure_row(name: str, figure: Figure) -> str:
    error = "" if figure.std_error is None else f" ± {figure.std_error:#.2g}"
    return f"| {name} | {figure.value:.5g}{error} | {figure.unit} | {figure.split}, {figure.examples:,} |"


def _filled(note: str, figures: Mapping[str, Figure]) -> str:
    """The recipe's note with the values of the figures that it names; as it is written where one was not measured."""
    try:
        return note.format(**{name: figure.value for name, figure in figures.items()})
    except (AttributeError, LookupError, TypeError, ValueError):
        return note


_CARD = """\
# {name}, version {version}

{title}.

- Family: {family}; {parameters:,} parameters.
- Data: {data} (sha256 of its splits {digest}...), {x}{given}.
  Trained on the training split; {chosen}; the test split used for the figures.
- Training: {minutes:.1f} minutes, seed {seed}; the whole recipe is in manifest.json.

## Figures

Measured through the exported graphs, whose matrices are rounded to half precision; the standard error is over the
examples{seeds}.{log_prob} The training itself, epoch by epoch, is in report.html.

| figure | value | unit | split, examples |
|---|---|---|---|
{figures}

To measure them again:

    {command}

## What it can do

{can}

## What it cannot do

{cannot}

## Limits

{notes}- It has seen {data} only; what it says of other data is an extrapolation.
- Equal seeds give equal bytes on the same processor type and versions, not across them.
{limits}"""

_BEST = "the best epoch chosen on the validation split"
_LAST = "the last epoch kept, for nothing tells which is best"

_MEMBERSHIP = """
`membership_auc` is how often a training example scores higher than a test example: 0.5 is a guess. Who asks in a more
cunning way may learn more."""

_LOG_PROB = {
    "none": "",
    "bound": """ `bound_K` is the importance weighted bound of log p(x) with K samples: its negative is the NLL by
IW-K; its looser cousin `elbo` is reconstruction less KL. A
`bound_K` on fewer examples is to be compared with none but figures of the same ones."""
    + _MEMBERSHIP,
    "exact": " `log_prob` is log p(x) itself, no bound: its negative is the NLL." + _MEMBERSHIP,
}

_LIMITS = {
    "none": "",
    "bound": """\
- `score` gives a lower bound of log p(x), never log p(x) itself; its standard errors are Monte Carlo errors of the
  bound.
""",
    "exact": "- `score` gives log p(x) itself, up to rounding.\n",
}

_COMPLETION = """\
- `complete` draws from the distribution given the kept values only where these come first in the model's order (the
  first rows of an image, say). Elsewhere each value is drawn given those before it alone; the answer says which.
"""
