"""The tables of docs/gans.md, from the manifests of the shipped bundles."""

import re

from models.manifest import Manifest
from models.provenance import Figure
from models.repository import SHIPPED, Repository
from tests.readme_table import markdown, newest
from training.datasets.toys import MIXTURES
from training.evaluation.quality import COOL
from training.report.figures import measured, over_seeds

_TABLE = re.compile(r"(<!-- (\w+): written by `python -m tests.readme` -->\n).*?(<!-- end -->)", re.DOTALL)
_REPOSITORY = Repository(SHIPPED)
_IMAGES = ("precision", "density", "recall", "coverage", "fid_c", "classes", "class_kl")


def with_tables(text: str) -> str:
    """The page's text with the tables of today between their marks."""
    return _TABLE.sub(lambda mark: f"{mark[1]}\n{_TABLES[mark[2]]()}\n\n{mark[3]}", text)


def toys() -> str:
    """A row for each bundle of a mixture, over its seeds."""
    head = ("bundle", "seeds", "all modes in", "modes", "high quality, %", "reverse KL, nats", "spread")
    return markdown(head, (_toy(manifest) for manifest in newest(_REPOSITORY) if manifest.provenance.data in MIXTURES))


def images() -> str:
    """Two rows for each bundle of grey digits that is judged by their features: at both temperatures."""
    head = ("bundle", "temperature", *(name.replace("_", " ") for name in _IMAGES))
    judged = (manifest for manifest in newest(_REPOSITORY) if "fid_c" in manifest.provenance.figures)
    return markdown(head, (row for manifest in judged for row in (_image(manifest, 1), _image(manifest, COOL))))


_TABLES = {"toys": toys, "images": images}


def _toy(manifest: Manifest) -> tuple[str, ...]:
    made = manifest.provenance
    means = {**made.figures, **over_seeds(manifest)}
    counted = [made.figures["modes"].value, *made.other_seeds.get("modes", ())]
    every = counted.count(len(MIXTURES[made.data].centers))
    shown = (_shown(means[name]) for name in ("modes", "high_quality", "reverse_kl", "spread"))
    return (_named(manifest), str(len(counted)), str(every), *shown)


def _image(manifest: Manifest, temperature: float) -> tuple[str, ...]:
    suffix = "" if temperature == 1 else "_cooled"
    shown = (_shown(manifest.provenance.figures[name + suffix]) for name in _IMAGES)
    return (_named(manifest), f"{temperature:g}", *shown)


def _named(manifest: Manifest) -> str:
    return f"[{manifest.name}](../models/bundles/{manifest.name}/{manifest.version}/card.md)"


def _shown(figure: Figure) -> str:
    return " ± ".join(filter(None, measured(figure)))
