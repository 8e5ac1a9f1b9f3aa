"""What the dashboard and the alerts ask for is what the service tells."""

import json
import re
import shutil
import socket
import subprocess
from collections import defaultdict
from pathlib import Path

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from tests import tiny_bundle
from tests.live_server import live_server

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "service" / "deploy"
DASHBOARD = json.loads((DEPLOY / "grafana" / "dashboards" / "reparam.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
RULES = [rule for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"] for rule in group["rules"]]
QUERIES = [target["expr"] for panel in PANELS for target in panel["targets"]] + [rule["expr"] for rule in RULES]
OF_PROMETHEUS = {"up": {"job", "instance"}, "ALERTS": {"alertstate"}}
ADDED = {"job", "instance"}  # by Prometheus, to each series
STATUSES = {"429", "499", "500", "504"}  # that are not met below


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """The series of a service that was asked, refused and turned away: their labels and values by name."""
    root = tmp_path_factory.mktemp("bundles")
    tiny_bundle.publish(root)
    with live_server(repository=root, device="cpu", queue_rows=1, connections=1) as server:
        server.wait_until_ready()
        with server.client() as client:
            for verb, rows in (("sample", 1), ("sample", 2), ("score", 1)):
                client.post(f"/v2/models/tiny/{verb}", json={"num_samples": rows} if verb == "sample" else {})
            host, port = server.address.split(":")
            with socket.create_connection((host, int(port))) as turned_away:
                assert turned_away.recv(12) == b"HTTP/1.1 503"
            text = client.get("/metrics").text
    return _series(text)


def _series(text):
    told = defaultdict(lambda: defaultdict(set))
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            for label, value in sample.labels.items():
                told[sample.name][label].add(value)
            told[sample.name]  # one without labels is there, too
    return told


def parsed(query):
    """With values for Grafana's variables; ValueError where the syntax is wrong."""
    return promql_parser.parse(re.sub(r"\$(\w+)", lambda name: "5m" if "interval" in name[1] else ".*", query))


def nodes(expression):
    """The expression and all within it."""
    yield expression
    inner = [getattr(expression, name, None) for name in ("lhs", "rhs", "expr", "vector_selector")]
    for part in [*inner, *getattr(expression, "args", [])]:
        if part is not None:
            yield from nodes(part)


def selectors(query):
    return [node for node in nodes(parsed(query)) if isinstance(node, promql_parser.VectorSelector)]


def grouped(query):
    """The labels that the query groups by or joins on."""
    modifiers = [getattr(node, "modifier", None) for node in nodes(parsed(query))]
    kept = [getattr(modifier, "labels", None) or getattr(modifier, "matching", None) for modifier in modifiers]
    return {label for found in kept if found is not None for label in _labels(found)}


def _labels(found):
    return found if isinstance(found, list) else getattr(found, "labels", [])


@pytest.mark.parametrize("query", QUERIES)
def test_every_series_and_label_asked_for_is_told(query, told):
    assert selectors(query)
    for selector in selectors(query):
        if selector.name in OF_PROMETHEUS:
            labels = OF_PROMETHEUS[selector.name]
        else:
            assert selector.name in told
            labels = set(told[selector.name]) | ADDED
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= labels, selector.name
        assert grouped(query) <= labels, selector.name


@pytest.mark.parametrize("query", QUERIES)
def test_every_value_asked_for_is_one_that_occurs(query, told):
    for selector in selectors(query):
        for matcher in selector.matchers.matchers:
            known = told.get(selector.name, {}).get(matcher.name)
            if known and str(matcher.op) == "MatchOp.Equal":
                assert matcher.value in known | (STATUSES if matcher.name == "code" else set())


def test_labels_of_a_query_are_seen():
    """Else the tests above would hold of themselves."""
    query = 'sum by (le, model) (rate(a_bucket{code="1"}[5m])) / on (graph) b > 0 unless on (instance) c{d=~"e"} == 1'
    assert {selector.name for selector in selectors(query)} == {"a_bucket", "b", "c"}
    assert grouped(query) == {"le", "model", "graph", "instance"}
    with pytest.raises(ValueError, match="unclosed"):
        parsed("sum(rate(a[5m])")


def test_every_metric_is_on_the_dashboard(told):
    shown = {selector.name for query in QUERIES for selector in selectors(query)}
    endings = re.compile(r"_(bucket|sum|count)$")
    assert {endings.sub("", name) for name in told} <= {endings.sub("", name) for name in shown}


def test_panels_have_places_of_their_own():
    taken = set()
    for panel in DASHBOARD["panels"]:
        x, y, w, h = (panel["gridPos"][side] for side in "xywh")
        cells = {(column, line) for column in range(x, x + w) for line in range(y, y + h)}
        assert x + w <= 24
        assert not cells & taken
        taken |= cells
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(DASHBOARD["panels"])


def test_panels_ask_the_source_that_is_provisioned():
    [source] = yaml.safe_load((DEPLOY / "grafana" / "datasources" / "prometheus.yml").read_text())["datasources"]
    asked = [target["datasource"]["uid"] for panel in PANELS for target in panel["targets"]]
    asked += [variable["datasource"]["uid"] for variable in DASHBOARD["templating"]["list"]]
    assert set(asked) == {source["uid"]}


@pytest.mark.parametrize("rule", RULES, ids=[rule["alert"] for rule in RULES])
def test_an_alert_says_what_is_the_matter_and_what_to_do(rule):
    assert set(rule["annotations"]) == {"summary", "action"}
    assert all(re.search(r"[.]$", text) for text in rule["annotations"].values())
    assert rule["labels"]["severity"] in {"page", "ticket", "info"}
    used = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert used <= grouped(rule["expr"]) or not grouped(rule["expr"]) or "unless on" in rule["expr"]


def test_every_alert_is_explained_and_has_been_tried():
    tried = (ROOT / "tests" / "alerts.yml").read_text()
    page = (ROOT / "docs" / "operating.md").read_text()
    assert len({rule["alert"] for rule in RULES}) == len(RULES)
    for rule in RULES:
        assert rule["alert"] in tried
        assert f"`{rule['alert']}`" in page


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool comes with Prometheus")
@pytest.mark.parametrize(
    "check",
    [
        "check config --syntax-only service/deploy/prometheus.yml",
        "check rules service/deploy/alerts.yml",
        "test rules tests/alerts.yml",
    ],
)
def test_prometheus_itself_agrees(check):
    done = subprocess.run(["promtool", *check.split()], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
