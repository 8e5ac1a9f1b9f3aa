"""A page holds what the JSON holds, and needs nothing from elsewhere."""

import json
import re

import pytest

from models.errors import ReparamError
from service.bench.curve import curve
from service.bench.load import Outcome
from service.bench.measurement import Load, measured
from service.bench.report import as_html, check_writable, write
from service.bench.table import COLUMNS, cells, remarks, table


def run(load, statuses=(200,), seconds=0.002):
    return measured(load, [Outcome(1, 1.1, 1.1 + seconds, status, 3.0) for status in statuses], rows=2)


RUNS = [
    run(Load(10, 1, connections=1)),
    run(Load(10, 1, connections=8), (200, 200, 503, 500), 0.2),
    run(Load(10, 1, rate=100.0), ()),
]
REPORT = {"url": "http://models.example/<x>", "model": "m & n", "verb": "sample", "runs": RUNS}


def test_a_page_holds_what_json_holds(tmp_path):
    for name in ("report.json", "report.html"):
        write(tmp_path / name, REPORT)
    [within] = re.findall(r'<script type="application/json" id="report">(.*?)</script>', as_html(REPORT))
    assert (tmp_path / "report.html").read_text() == as_html(REPORT)
    kept = json.loads((tmp_path / "report.json").read_text())
    assert json.loads(within) == kept
    assert kept["runs"][0]["answered"] == 1


def test_a_page_shows_the_numbers_of_every_run():
    shown = re.findall(r"<td>(?:<i [^>]*></i>)?(.*?)</td>", as_html(REPORT))
    assert shown == [cell for each in RUNS for cell in cells(each)]


def test_a_page_asks_nothing_of_anybody():
    page = as_html(REPORT)
    assert not re.search(
        r"""\b(src|href|action)\s*=|url\(|@import|<link|<img|<script(?! type="application/json")""", page
    )


def test_what_others_named_is_text_and_no_markup():
    page = as_html(REPORT)
    assert "<x>" not in page
    assert "m &amp; n" in page


def test_a_curve_has_a_line_for_each_run_that_was_answered():
    assert curve(RUNS).count("<polyline") == 2
    assert "<polyline" not in curve([RUNS[2]])


def test_curves_stay_within_their_frame():
    for points in re.findall(r'points="(.*?)"', curve(RUNS)):
        for x, y in (map(float, point.split(",")) for point in points.split()):
            assert 0 <= x <= 860
            assert 0 <= y <= 380


def test_a_table_has_a_line_for_each_run():
    lines = table(RUNS).splitlines()
    assert re.split(r"  +", lines[0]) == list(COLUMNS)
    assert [len(line) for line in lines] == [len(lines[0])] * 4
    assert re.split(r"  +", lines[2])[:4] == ["8 connections", "2", "1", "1"]


def test_remarks_say_what_went_wrong():
    assert remarks(RUNS[0]) == []
    assert remarks(RUNS[1]) == [
        "8 connections: 1 refused, to come again after 3 to 3 s",
        "8 connections: 1 x 500, 1 x 503",
    ]
    [late] = remarks(run(Load(10, 1, rate=5.0)))
    assert "100.0 ms late" in late


@pytest.mark.parametrize("name", ["report.pdf", "report", "nowhere/report.html"])
def test_a_report_that_cannot_be_written_is_refused_before(tmp_path, name):
    with pytest.raises(ReparamError, match=r"written as \.json or \.html|there is no folder"):
        check_writable(tmp_path / name)
