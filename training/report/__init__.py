"""The report of a training as one page: how it went, how good the model is, what it draws and what its code holds."""

from collections.abc import Sequence
from html import escape

import numpy as np

from models.manifest import Manifest
from training import views
from training.datasets.splits import Array, Examples
from training.exported import Exported
from training.report import page, pictures, plots
from training.report.figures import all_figures, judged, measured
from training.report.film import film
from training.report.latent import VALUES, kl_per_dimension, traversals

History = Sequence[dict[str, float]]

_TOGETHER = ("loss", "validation")
_MOST_BARS = 100
_POINTS = 500


def report(
    exported: Exported, manifest: Manifest, history: History, examples: Examples, frames: Array | None = None
) -> bytes:
    """One HTML file without links to others; a section is there where the model can what it shows.

    `history` has a row an epoch; the `examples` are those of the test split; `frames` are (times, rows, *shape).
    """
    kl = kl_per_dimension(exported, examples)
    return page.page(
        f"{manifest.name}, version {manifest.version}: training report",
        _head(manifest, history),
        _figures(manifest),
        _curves(history),
        film(manifest, frames),
        page.beside(
            _samples(exported, manifest),
            _scatter(exported, manifest, examples),
            _reconstructions(exported, manifest, examples),
            _completions(exported, manifest, examples),
        ),
        _traversals(exported, manifest, examples, kl),
        _kl(manifest, kl),
    )


def _head(manifest: Manifest, history: History) -> str:
    made, best = manifest.provenance, _best(history)
    shape = "x".join(map(str, manifest.shapes["x"]))
    facts = {
        "Obtained": judged(manifest).obtained,
        "Published": judged(manifest).published,
        "Family": manifest.family,
        "Parameters": f"{made.parameters:,}",
        "Data": made.data,
        "An example": f"{manifest.x.support} {manifest.x.kind}, {shape}",
        "Training": f"{made.minutes:.1f} minutes",
        "Best epoch": f"{best} of {len(history)}" if best else "",
        "Seed": str(made.recipe["seed"]),
    }
    shown = page.facts((term, said) for term, said in facts.items() if said not in ("", "-"))
    heading = f"<h1>{manifest.name} <small>version {manifest.version}</small></h1>"
    return f"<header>\n{heading}\n<p>{escape(manifest.title)}.</p>\n{shown}\n</header>"


def _best(history: History) -> int | None:
    """The epoch of the least validation loss, whose weights were kept; counted from 1."""
    losses = [row["validation"] for row in history if "validation" in row]
    return 1 + losses.index(min(losses)) if losses else None


def _figures(manifest: Manifest) -> str:
    figures = all_figures(manifest)
    if not figures:
        return ""
    rows = (
        (name.replace("_", " "), *measured(each), each.unit, f"{each.split}, {each.examples:,}")
        for name, each in figures.items()
    )
    table = page.table(("figure", "value", "standard error", "unit", "split, examples"), rows)
    note = "Measured through the exported graphs; the standard errors are over the examples, or over the seeds."
    return page.section("figures", "Figures", note, table)


def _curves(history: History) -> str:
    """Loss and validation share a plot, and so a unit; every other key has its own."""
    if not history:
        return ""
    keys = list(history[-1])
    together = [key for key in _TOGETHER if key in keys]
    groups = [together, *([key] for key in keys if key not in together)]
    drawn = (
        plots.curves({key: [row[key] for row in history] for key in group}, _best(history), name=f"curves{number}")
        for number, group in enumerate(filter(None, groups))
    )
    judged = "Validation is of the averaged weights. " if "validation" in keys else ""
    note = f"{judged}What the first tenth of the epochs brought may lie beyond an axis."
    return page.section("curves", "How it learned", note, page.beside(*drawn))


def _samples(exported: Exported, manifest: Manifest) -> str:
    if manifest.x.kind != "image" or "sample" not in exported.operations:
        return ""
    what = "E[x | z] of draws" if "mean" in exported.operations["sample"].outputs else "Draws"
    classes = "; the classes take turns along a row" if exported.operations["sample"].label else ""
    note = f"{what} from the model, rows 0, 1, … of seed 0{classes}."
    grid = page.image(pictures.samples(exported, manifest), "a grid of samples")
    return page.section("samples", "Samples", note, grid)


def _scatter(exported: Exported, manifest: Manifest, examples: Examples) -> str:
    """Points, where x is one of the plane."""
    if manifest.x.kind != "vector" or manifest.shapes["x"] != (2,) or "sample" not in exported.operations:
        return ""
    rows = len(examples.x)
    shown = examples.take(views.spread(rows, min(rows, _POINTS)))
    drawn = views.sampled(exported, len(shown.x), shown.label)
    plot = plots.scatter({"data": shown.x, "samples": drawn["x"]}, name="scatter")
    return page.section("samples", "Samples", f"{len(shown.x)} examples of the test split, and as many samples.", plot)


def _reconstructions(exported: Exported, manifest: Manifest, examples: Examples) -> str:
    if manifest.x.kind != "image" or not {"encode", "decode"} <= set(exported.operations):
        return ""
    note = "Examples of the test split; below each row what the model makes of their codes, without noise."
    grid = page.image(pictures.reconstructions(exported, manifest, examples), "examples above their reconstructions")
    return page.section("reconstructions", "Reconstructions", note, grid)


def _completions(exported: Exported, manifest: Manifest, examples: Examples) -> str:
    if manifest.x.kind != "image" or "complete" not in exported.operations:
        return ""
    note = "Examples of the test split; below, each time anew, what follows on their upper halves."
    grid = page.image(pictures.completions(exported, manifest, examples), "examples above completions of their halves")
    return page.section("completions", "Completions", note, grid)


def _traversals(exported: Exported, manifest: Manifest, examples: Examples, kl: Array | None) -> str:
    found = traversals(exported, manifest, examples, kl) if manifest.x.kind == "image" else []
    if not found:
        return ""
    limits = pictures.limits(manifest, np.stack([traversal.x for traversal in found]))
    rows = []
    for dimension, images in found:
        name = f"z {dimension}" if kl is None else f"z {dimension}, {kl[dimension]:.2f} nats"
        rows.append((name, page.image(pictures.png(images, len(VALUES), limits), f"{name}, from -3 to 3")))
    origin = "the code of the first test example" if "encode" in exported.operations else "0"
    ranked = "with the greatest KL" if kl is not None else "along which x changes most"
    note = f"From {origin}, one dimension goes from -3 to 3 and the others stay: the dimensions {ranked}."
    return page.section("traversals", "Latent traversals", note, page.strips(rows, ("-3", "0", "3")))


def _kl(manifest: Manifest, kl: Array | None) -> str:
    if kl is None:
        return _joint_kl(manifest)
    ranked = np.sort(kl)[::-1][:_MOST_BARS]
    note = f"From posterior to prior, averaged over test examples: {kl.sum():.2f} nats in {len(kl)} dimensions."
    plot = plots.bars(ranked, across="dimensions, most informative first", up="nats", name="kl")
    return page.section("kl", "KL per dimension", note, plot)


def _joint_kl(manifest: Manifest) -> str:
    """Of a learned prior, which is no product over the dimensions."""
    kl = manifest.provenance.figures.get("kl")
    if kl is None:
        return ""
    note = f"From posterior to prior, averaged over test examples: {kl.value:.2f} nats in all. The prior is learned and"
    return page.section("kl", "KL", f"{note} ties the dimensions together, so none has a share of its own.", "")
