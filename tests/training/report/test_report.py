"""The report shows what the model can, needs no network, and is the same for the same training."""

import re
from collections import Counter
from html.parser import HTMLParser

import numpy as np
import pytest

from models.manifest import OPERATIONS, Example, Operation
from models.repository import SHIPPED, read_bundle
from tests import tiny_bundle
from training.datasets.splits import Examples
from training.exported import Exported
from training.report import report

HISTORY = [{"loss": 5.0 - i, "kl": 1.0 + i, "validation": v} for i, v in enumerate([4.0, 2.0, 3.0])]
X = np.random.default_rng(0).integers(0, 2, size=(40, 2, 2)).astype(np.uint8)
EXAMPLES = Examples(X, np.arange(40) % 2)
EMPTY = {"meta", "img"}  # elements that have no end


class Page(HTMLParser):
    """What a page is made of: its elements with their attributes, and its text; elements end as they began."""

    def __init__(self, content):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(content.decode())
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def sections(self):
        return [attributes["id"] for attributes in self.all("section")]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The report of a model that can all."""
    bundle = read_bundle(tiny_bundle.publish(tmp_path_factory.mktemp("report")))
    return report(Exported(bundle.manifest.operations, bundle.files), bundle.manifest, HISTORY, EXAMPLES)


@pytest.mark.parametrize(
    ("operations", "sections"),
    [
        (OPERATIONS, ["samples", "reconstructions", "completions", "traversals", "kl"]),
        (("encode", "decode"), ["reconstructions", "kl"]),
        (("sample", "decode"), ["samples", "traversals"]),
        (("sample",), ["samples"]),
        (("score",), []),
    ],
)
@pytest.mark.parametrize("conditional", [False, True])
def test_a_section_is_there_where_the_model_can(opened, operations, sections, conditional):
    manifest, exported = opened(operations=operations, conditional=conditional)
    page = Page(report(exported, manifest, HISTORY, EXAMPLES if conditional else Examples(X)))
    assert page.sections == ["figures", "curves", *sections]


def test_without_a_history_there_are_no_curves(opened):
    manifest, exported = opened()
    page = Page(report(exported, manifest, [], Examples(X)))
    assert "curves" not in page.sections
    assert "Best epoch" not in page.text


class Vectors:
    """A model of vectors of a size, of whatever else it is."""

    operations = {
        "sample": Operation(graph="decode.onnx", outputs=("x",)),
        "encode": Operation(graph="encode.onnx", outputs=("z", "kl_per_dimension")),
        "decode": Operation(graph="decode.onnx", outputs=("x",)),
    }

    def __init__(self, size):
        self.size = size

    def draw(self, name, *, rows, **options):
        self.rows = rows
        return {}

    def run(self, name, inputs):
        return {output: np.eye(self.rows, self.size) for output in self.operations[name].outputs}


@pytest.mark.parametrize(("size", "sections"), [(2, ["samples", "kl"]), (7, ["kl"])])
def test_vectors_are_not_pictured_but_for_points_of_the_plane(opened, size, sections):
    manifest = opened()[0]
    what = {"x": Example(kind="vector", support="real"), "shapes": manifest.shapes | {"x": (size,)}}
    page = Page(report(Vectors(size), manifest.model_copy(update=what), HISTORY, Examples(np.ones((9, size)))))
    assert page.sections == ["figures", "curves", *sections]
    assert page.all("img") == []


def test_it_says_what_the_model_is_and_how_good_it_is(whole):
    text = " ".join(Page(whole).text.split())
    for part in (
        "tiny version 1",
        "Four pixels.",
        "binary image, 2x2",
        "-3.50 ± 0.25 nats (elbo)",
        "2 of 3",
        "test, 16",
    ):
        assert part in text


def test_every_key_of_the_history_is_drawn(whole):
    page = Page(whole)
    labels = [plot["aria-label"] for plot in page.all("svg")]
    assert labels[:2] == [
        "Over the epochs: loss, at last 3 and validation, at last 3",
        "Over the epochs: kl, at last 3",
    ]
    assert page.text.count("best, epoch 2") == 2


def test_traversals_begin_with_the_greatest_kl(whole):
    page = Page(whole)
    held = [float(nats) for nats in re.findall(r"z \d, ([\d.]+) nats", page.text)]
    assert len(held) == 2
    assert held == sorted(held, reverse=True)


def test_equal_trainings_give_equal_bytes(opened, whole):
    manifest, exported = opened()
    assert report(exported, manifest, HISTORY, EXAMPLES) == whole


def test_it_needs_no_network(whole):
    page = Page(whole)
    named = {name: value for _, attributes in page.elements for name, value in attributes.items()}
    assert not {"srcset", "action", "poster", "data"} & set(named)
    for _, attributes in page.elements:
        assert attributes.get("src", "data:image/png;").startswith("data:image/png;")
        for link in ("href", "xlink:href"):
            assert attributes.get(link, "#").startswith("#")
    assert not {"script", "link", "iframe", "object", "base"} & {tag for tag, _ in page.elements}
    assert "@import" not in page.text
    assert set(re.findall(rb"url\((.)", whole)) <= {b"#"}


def test_it_can_be_read_by_everyone(opened):
    """Also by those who hear it, who see it in the dark, or on a phone."""
    manifest, exported = opened()
    titled = manifest.model_copy(update={"title": "<Pixels> & more"})
    page = Page(report(exported, titled, HISTORY, EXAMPLES))
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("title")) == 1
    assert "<Pixels> & more." in page.text
    assert all(image["alt"] for image in page.all("img"))
    assert all(plot["aria-label"] for plot in page.all("svg"))
    assert "prefers-color-scheme: dark" in page.text
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.all("meta")


def test_no_two_elements_have_one_id(whole):
    page = Page(whole)
    ids = Counter(attributes["id"] for _, attributes in page.elements if "id" in attributes)
    assert [name for name, count in ids.items() if count > 1] == []
    links = set(re.findall(r"url\(#(.*?)\)", whole.decode()))
    assert links
    assert links <= set(ids)


def test_it_is_small_for_images_of_28x28():
    bundle = read_bundle(SHIPPED / "vae-mnist" / "1")
    random = np.random.default_rng(0)
    history = [dict(zip(("loss", "kl", "validation"), random.normal(size=3), strict=True)) for _ in range(400)]
    examples = Examples(random.integers(0, 2, size=(50, 28, 28)).astype(np.uint8))
    exported = Exported(bundle.manifest.operations, bundle.files)
    assert len(report(exported, bundle.manifest, history, examples)) < 400_000
