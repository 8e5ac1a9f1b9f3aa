"""The filmstrip shows what the same codes became, and where modes are known how many."""

import io
import re
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from models.manifest import Example
from tests.training.report.test_report import Page
from training.datasets.splits import Examples
from training.datasets.toys import MIXTURES
from training.report import report
from training.report.film import film

RING = MIXTURES["ring"]
COLLAPSED, WHOLE = np.repeat(RING.centers[:1], 80, axis=0), np.repeat(RING.centers, 10, axis=0)


@pytest.fixture
def of(opened):
    """of(shape, data): the manifest of a model of real vectors of a shape."""

    def make(shape, data="none"):
        manifest = opened()[0]
        what = {"x": Example(kind="vector", support="real"), "shapes": manifest.shapes | {"x": shape}}
        what["provenance"] = manifest.provenance.model_copy(update={"data": data})
        return manifest.model_copy(update=what)

    return make


def cells(section):
    """The rows of its table, as text."""
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in re.findall(r"<tr>.*?</tr>", section, re.DOTALL)]


def test_a_row_of_images_is_of_one_time_and_the_last_is_at_the_bottom(opened):
    manifest, _ = opened()
    frames = np.zeros((3, 4, 2, 2))
    frames[np.arange(3), np.arange(3)] = 1  # at each time another one is white
    page = Page(film(manifest, frames).encode())
    (shown,) = page.all("img")
    image = np.asarray(Image.open(io.BytesIO(b64decode(shown["src"].removeprefix("data:image/png;base64,")))))
    tiles = image.reshape(3, image.shape[0] // 3, 4, image.shape[1] // 4)
    assert (tiles.max(axis=(1, 3)) == 255).tolist() == np.eye(3, 4, dtype=bool).tolist()
    assert "a row after each of 3 equal parts of the training" in page.text


@pytest.mark.parametrize("shape", [(3,), (7,), (1,)])
def test_vectors_that_are_no_points_of_the_plane_are_not_filmed(of, shape):
    assert film(of(shape), np.zeros((2, 5, *shape))) == ""


def test_without_frames_there_is_no_film(opened, of):
    assert film(opened()[0], None) == film(of((2,), "ring"), None) == ""


def test_each_time_has_a_cloud_of_its_points(of):
    section = film(of((2,)), np.random.default_rng(0).normal(size=(3, 20, 2)))
    plots = Page(section.encode()).all("svg")
    assert [plot["aria-label"] for plot in plots] == [f"Points in the plane: {time} of 3" for time in (1, 2, 3)]
    ids = re.findall(r' id="([^"]+)"', section)
    assert len(ids) == len(set(ids))


def test_a_toy_has_a_table_of_its_modes_with_a_row_for_each_time(of):
    frames = np.stack([COLLAPSED, WHOLE, WHOLE + 100])
    head, *rows = cells(film(of((2,), "ring"), frames))
    assert head == ["time", "modes", "high quality", "reverse kl", "spread"]
    assert [row[0] for row in rows] == ["1", "2", "3"]
    assert [row[1] for row in rows] == ["1", "8", "0"]
    assert [row[2] for row in rows] == ["100", "100", "0"]
    assert float(rows[0][3]) == pytest.approx(np.log(8), abs=1e-3)
    assert float(rows[1][3]) == pytest.approx(0, abs=1e-6)
    assert [row[4] == "-" for row in rows] == [False, False, True]


@pytest.mark.parametrize("data", ["none", "rows"])
def test_points_whose_modes_nobody_knows_have_no_table(of, data):
    assert cells(film(of((2,), data), np.stack([COLLAPSED, WHOLE]))) == []


def test_the_film_follows_the_curves_in_the_report(opened):
    manifest, exported = opened()
    history, examples = [{"critic": 1.0}, {"critic": 2.0}], Examples(np.zeros((40, 2, 2), np.uint8))
    with_film, without = (
        Page(report(exported, manifest, history, examples, frames)).sections
        for frames in (np.zeros((2, 3, 2, 2)), None)
    )
    assert with_film[:4] == ["figures", "curves", "film", "samples"]
    assert without == [name for name in with_film if name != "film"]
