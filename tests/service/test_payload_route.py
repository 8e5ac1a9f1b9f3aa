"""A body is of a type that the verb takes and of a limited size; all else is refused, and told what is taken."""

import pytest

from tests.service.test_errors import JSON, MARKER, SAMPLE, check

ENCODE = "/v2/models/tiny/encode"
COMPLETE = "/v2/models/tiny/complete"


@pytest.mark.parametrize(
    ("path", "headers", "status", "kind"),
    [
        (SAMPLE, {"content-type": ""}, 415, "unsupported-media-type"),
        (SAMPLE, {"content-type": "text/plain"}, 415, "unsupported-media-type"),
        (SAMPLE, {"content-type": "multipart/form-data; boundary=x"}, 415, "unsupported-media-type"),
        (SAMPLE, {"content-type": "application/x-npy"}, 415, "unsupported-media-type"),
        (COMPLETE, {"content-type": "application/x-npy"}, 415, "unsupported-media-type"),
        ("/v2/models/tiny/decode", {"content-type": "image/png"}, 415, "unsupported-media-type"),
        (ENCODE, {"content-type": "image/jpeg"}, 415, "unsupported-media-type"),
        *(
            (SAMPLE, {"content-encoding": encoding}, 415, "unsupported-media-type")
            for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip", "identity, gzip", "compress", "")
        ),
        (SAMPLE, {"accept": "text/html"}, 406, "not-acceptable"),
        (SAMPLE, {"accept": "application/json;q=0"}, 406, "not-acceptable"),
        (ENCODE, {"accept": "image/*"}, 406, "not-acceptable"),
        ("/v2/models/tiny/score", {"accept": "application/x-npy, image/png"}, 406, "not-acceptable"),
    ],
)
async def test_types_that_are_not_taken_are_refused(service, path, headers, status, kind):
    check(await service.client.post(path, content=b"{}", headers=JSON | headers), status, kind)


async def test_second_content_encoding_is_seen_too(service):
    headers = [*JSON.items(), ("content-encoding", "identity"), ("content-encoding", "gzip")]
    check(await service.client.post(SAMPLE, content=b"{}", headers=headers), 415, "unsupported-media-type")


@pytest.mark.parametrize(
    ("path", "headers", "told"),
    [
        (SAMPLE, {"content-type": ""}, "application/json"),
        ("/v2/models/tiny/decode", {"content-type": ""}, "application/json or application/x-npy"),
        (ENCODE, {"content-type": ""}, "application/json, application/x-npy or image/png"),
        (SAMPLE, {"content-encoding": "gzip"}, "without Content-Encoding"),
        (SAMPLE, {"accept": "a/b"}, "application/json, application/x-npy, image/png or application/x-ndjson"),
        (ENCODE, {"accept": "a/b"}, "application/json, application/x-npy or application/x-ndjson"),
        ("/v2/models/tiny/score", {"accept": "a/b"}, "application/json or application/x-ndjson"),
    ],
)
async def test_refusal_tells_what_would_be_taken(service, path, headers, told):
    response = await service.client.post(path, content=b"{}", headers=JSON | headers)
    assert told in response.json()["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "Application/JSON"},
        {"content-encoding": "identity"},
        {"content-encoding": "Identity"},
        {"accept": "*/*"},
        {"accept": ""},
        {"accept": "text/html, application/json;q=0.5"},
        {"accept": "application/*"},
    ],
)
async def test_other_spellings_of_the_types_are_taken(service, headers):
    response = await service.client.post(SAMPLE, content=b"{}", headers=JSON | headers)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"


async def _chunks(size):
    for _ in range(size // 2**16):
        yield b" " * 2**16


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("path", [SAMPLE, f"/v2/models/{MARKER}/sample"])
async def test_body_over_the_limit_is_refused_announced_or_not(service, announced, path):
    content = b" " * 5_000_000 if announced else _chunks(5_000_000)
    problem = check(await service.client.post(path, content=content, headers=JSON), 413, "body-too-large")
    assert "4,194,304 bytes" in problem["detail"]


async def test_body_of_the_limit_is_taken(service):
    assert (await service.client.post(SAMPLE, content=b"{}".ljust(4 * 2**20), headers=JSON)).status_code == 200


async def test_huge_body_is_read_no_further_than_to_the_limit(service):
    left = _chunks(2**26)
    check(await service.client.post(SAMPLE, content=left, headers=JSON), 413, "body-too-large")
    assert await anext(left)


async def test_fields_may_stand_in_the_query(service):
    inside = await service.post("sample", seed=3, num_samples=2, temperature=0.5, outputs=["z", "mean"])
    query = "seed=3&num_samples=2&temperature=0.5&outputs=z&outputs=mean"
    assert (await service.client.post(f"{SAMPLE}?{query}", json={})).content == inside.content
    one = await service.post("sample", "labelled", seed=3, num_samples=2, label=1)
    each = await service.client.post("/v2/models/labelled/sample?label=1&label=1", json={"seed": 3, "num_samples": 2})
    assert each.content == one.content


@pytest.mark.parametrize(
    "query",
    [
        "seed=1.0",
        "seed=01",
        "seed=%2B1",
        "seed=1_0",
        "seed=9007199254740992",
        "seed=1e3",
        "seed=true",
        "seed=",
        "seed=1&seed=2",
        "seed=%D9%A1",
        "num_samples=0",
        "temperature=NaN",
        "temperature=Infinity",
        "temperature=2.5",
        f"outputs={MARKER}",
        f"{MARKER}=1",
        "x=1",
    ],
)
async def test_query_is_taken_as_strictly_as_json(service, query):
    check(await service.client.post(f"{SAMPLE}?{query}", json={}), 422, "invalid-input")


async def test_field_in_query_and_body_is_refused(service):
    problem = check(await service.client.post(f"{SAMPLE}?seed=1", json={"seed": 1}), 422, "invalid-input")
    assert "query" in problem["detail"]


async def test_query_does_not_hide_that_the_body_is_no_object(service):
    check(await service.client.post(f"{SAMPLE}?seed=1", json=[]), 422, "invalid-input")
