"""Each error has its status and the one shape; a bug is a 500, and bad input never is."""

import json
import time

import pytest

from service.errors import STATUS

FIELDS = {"type", "title", "status", "detail", "error", "request_id"}
JSON = {"content-type": "application/json"}
SAMPLE = "/v2/models/tiny/sample"
MARKER = "Secret-Ma\u00efker"  # whatever the caller says, the answer does not repeat it


def check(response, status, kind, marker=MARKER):
    """The problem, which has all that every problem has."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert set(problem) - {"operations"} == FIELDS
    assert ("operations" in problem) == (kind == "capability-not-supported")
    assert (problem["status"], problem["type"]) == (status, f"urn:reparam:{kind}")
    assert problem["error"] == problem["detail"] != ""
    assert problem["request_id"] == response.headers["X-Request-ID"] != ""
    assert len(response.content) <= 4096
    assert marker not in response.text
    assert "site-packages" not in response.text
    assert "/tmp" not in response.text
    assert ("Retry-After" in response.headers) == (status in (429, 503))
    return problem


@pytest.mark.parametrize(
    ("path", "content", "status", "kind"),
    [
        (SAMPLE, b"", 400, "malformed-body"),
        (SAMPLE, MARKER.encode(), 400, "malformed-body"),
        (SAMPLE, MARKER.encode("latin-1"), 400, "malformed-body"),
        (SAMPLE, b'{"temperature": NaN}', 400, "malformed-body"),
        (SAMPLE, b"[" * 40 + b"]" * 40, 400, "malformed-body"),
        (f"/v2/models/{MARKER}/sample", b"{}", 404, "unknown-model"),
        ("/v2/models/tiny/versions/2/sample", b"{}", 404, "unknown-model"),
        ("/v2/models/tiny/versions/01/sample", b"{}", 404, "unknown-model"),
        (f"/v2/models/tiny/{MARKER}", b"{}", 404, "not-found"),
        (f"/{MARKER}", b"{}", 404, "not-found"),
        ("/v2/models/tiny/sample/", b"{}", 404, "not-found"),
        ("/livez", b"{}", 405, "method-not-allowed"),
        ("/v2/models", b"{}", 405, "method-not-allowed"),
        (SAMPLE, b'{"num_samples": 5000}', 422, "limit-exceeded"),
        (SAMPLE, b'{"label": 0}', 422, "invalid-input"),
        ("/v2/models/autoencoder/sample", b"{}", 422, "capability-not-supported"),
    ],
)
async def test_refusal_has_its_status_and_the_one_shape(service, path, content, status, kind):
    check(await service.client.post(path, content=content, headers=JSON), status, kind)


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("sample", []),
        ("sample", None),
        ("sample", 1),
        ("sample", {MARKER: 1}),
        ("sample", {MARKER * 1000: MARKER * 1000}),
        ("sample", {"seed": -1}),
        ("sample", {"seed": 2**53}),
        ("sample", {"seed": 10**30}),
        ("sample", {"seed": 1.0}),
        ("sample", {"seed": True}),
        ("sample", {"seed": MARKER}),
        ("sample", {"index": 2**53}),
        ("sample", {"num_samples": 0}),
        ("sample", {"num_samples": True}),
        ("sample", {"num_samples": "1"}),
        ("sample", {"temperature": -0.1}),
        ("sample", {"temperature": 2.1}),
        ("sample", {"temperature": True}),
        ("sample", {"label": 2**64 - 1}),
        ("sample", {"label": []}),
        ("sample", {"outputs": []}),
        ("sample", {"outputs": [MARKER]}),
        ("sample", {"outputs": "x"}),
        ("encode", {}),
        ("encode", {"x": MARKER}),
        ("encode", {"x": [[[0, True], [0, 0]]]}),
        ("encode", {"x": [[[0, 1], [0]]]}),
        ("score", {"x": [[[0, 1], [0, 0]]], "temperature": 1}),
        ("score", {"x": [[[0, 1], [0, 0]]], "samples": 0}),
        ("score", {"x": [[[0, 1], [0, 0]]], "target_std_error": 0}),
        ("criticize", {"x": [[[0, 1], [0, 0]]], "temperature": 0}),
        ("interpolate", {"start": {"seed": 1}}),
        ("interpolate", {"start": {"seed": 1}, "end": {}}),
        ("interpolate", {"start": {"seed": 1}, "end": {"seed": 1, "z": [0, 0]}}),
        ("interpolate", {"start": {"seed": 1}, "end": {"z": [0, 0], "index": 1}}),
        ("interpolate", {"start": {"seed": 1}, "end": {"seed": 2}, "steps": 1}),
        ("interpolate", {"start": {"seed": 1}, "end": {"seed": 2}, "path": MARKER}),
        ("traverse", {"origin": {"seed": 1}, "dimension": -1, "values": [0]}),
        ("traverse", {"origin": {"seed": 1}, "dimension": 0, "values": []}),
        ("traverse", {"origin": {"seed": 1}, "dimension": 0, "values": [1e39]}),
        ("traverse", {"origin": {"seed": 1}, "dimension": 0, "values": [True]}),
    ],
    ids=lambda value: str(value)[:60].replace(MARKER, "marker"),
)
async def test_what_the_schema_forbids_is_invalid_and_not_repeated(service, verb, body):
    response = await service.client.post(f"/v2/models/tiny/{verb}", content=json.dumps(body), headers=JSON)
    check(response, 422, "invalid-input")


KEYS = {str(i): 0 for i in range(370_000)}
FLOODS = {
    "keys": ("sample", KEYS),
    "inner keys": ("interpolate", {"start": KEYS, "end": {"seed": 1}}),
    "labels": ("sample", {"label": ["a"] * 800_000}),
    "values": ("traverse", {"origin": {"seed": 1}, "dimension": 0, "values": ["a"] * 800_000}),
    "outputs": ("sample", {"outputs": [0] * 1_000_000}),
    "numbers": ("decode", {"z": [["a"] * 800_000]}),
    "a field for another": ("encode", {"X": MARKER + "a" * 4_000_000}),
}


@pytest.mark.parametrize("flood", FLOODS)
async def test_flood_of_wrong_items_is_one_error_and_holds_nobody_up(service, flood):
    """An error for each item would take ten seconds of the one event loop."""
    verb, body = FLOODS[flood]
    content = json.dumps(body, separators=(",", ":"))
    started = time.process_time()
    response = await service.client.post(f"/v2/models/tiny/{verb}", content=content, headers=JSON)
    assert time.process_time() - started < 1
    check(response, 422, "invalid-input")


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({"seed": -1}, "body.seed: "),
        ({"surprise": 1}, "body.surprise: "),
        ({"label": [0, "b"]}, "body.label.each.1: "),
        ({"num_samples": "x", "seed": "x"}, "body.seed: "),
    ],
)
async def test_validation_answers_the_first_error_with_its_place(service, body, place):
    assert check(await service.post("sample", **body), 422, "invalid-input")["detail"].startswith(place)


async def test_refused_capability_lists_what_the_model_can_do(service):
    problem = check(await service.post("sample", "autoencoder"), 422, "capability-not-supported")
    assert problem["operations"] == ["encode", "decode"]


@pytest.mark.parametrize(("method", "path", "allowed"), [("GET", SAMPLE, "POST"), ("DELETE", "/v2/models/tiny", "GET")])
async def test_wrong_method_is_told_the_right_one(service, method, path, allowed):
    response = await service.client.request(method, path)
    check(response, 405, "method-not-allowed")
    assert response.headers["Allow"] == allowed


async def test_model_without_a_picture_says_so(service):
    check(await service.client.get("/v2/models/tiny/preview.png"), 404, "no-preview")


async def test_longest_detail_keeps_within_four_kib(service, monkeypatch):
    model = service.app.state.registry.get("autoencoder")
    for letter in ("\u0001", "a", "\u00e9", "\u4e16", "\U0001f600", '"', "\\"):
        absent = model.manifest.absent | {"sample": letter * 100_000}
        monkeypatch.setattr(model, "manifest", model.manifest.model_copy(update={"absent": absent}))
        check(await service.post("sample", "autoencoder"), 422, "capability-not-supported")


def test_every_error_of_the_table_has_a_status_of_the_contract():
    contract = {400, 401, 403, 404, 406, 408, 413, 415, 422, 429, 431, 503, 504}
    assert {int(status) for status in STATUS.values()} == contract
