"""The README's table of the shipped bundles, from their manifests."""

from collections.abc import Iterable, Iterator, Sequence

from models.manifest import Manifest
from models.repository import SHIPPED, Repository
from training.report.figures import judged, measured, over_seeds

BEGIN, END = "<!-- bundles: written by `python -m tests.readme` -->", "<!-- end of bundles -->"

_HEAD = ("bundle", "family, likelihood, data", "obtained", "published", "parameters", "MB", "minutes", "seeds")


def table(repository: Repository) -> str:
    """The newest version of each bundle, a row each, in Markdown."""
    return markdown(_HEAD, map(_row, newest(repository)))


def newest(repository: Repository) -> Iterator[Manifest]:
    """The manifest of each bundle's newest version, by name."""
    for name in dict.fromkeys(name for name, _ in repository.list()):
        yield repository.read(name, repository.versions(name)[-1]).manifest


def markdown(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def with_table(text: str) -> str:
    """The README's text with the table of today between its two marks."""
    return between(text, BEGIN, END, table(Repository(SHIPPED)))


def between(text: str, begin: str, end: str, written: str) -> str:
    """The text with that between the two marks, in place of what was there."""
    before, _, rest = text.partition(begin)
    _, _, after = rest.partition(end)
    return f"{before}{begin}\n\n{written}\n\n{end}{after}"


def _row(manifest: Manifest) -> tuple[str, ...]:
    made, result = manifest.provenance, judged(manifest)
    what = (manifest.family, made.recipe["model"].get("likelihood"), made.data)
    return (
        f"[{manifest.name}](models/bundles/{manifest.name}/{manifest.version}/card.md)",
        ", ".join(filter(None, what)),
        result.obtained,
        result.published,
        f"{made.parameters:,}",
        f"{sum(file.bytes for file in manifest.digests.values()) / 1e6:.1f}",
        f"{made.minutes:.1f}",
        _seeds(manifest),
    )


def _seeds(manifest: Manifest) -> str:
    """How many, and the mean of the figure that was obtained."""
    name = (manifest.provenance.recipe.get("headline") or {}).get("figure")
    mean = over_seeds(manifest).get(name)
    return f"{mean.examples}: {' ± '.join(filter(None, measured(mean)))}" if mean else "1"
