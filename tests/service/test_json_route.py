"""A body is JSON of a limited size, and so is the answer; all else is refused."""

import pytest

from tests.service.test_errors import JSON, MARKER, SAMPLE, check


@pytest.mark.parametrize(
    ("headers", "status", "kind"),
    [
        ({"content-type": ""}, 415, "unsupported-media-type"),
        ({"content-type": "text/plain"}, 415, "unsupported-media-type"),
        ({"content-type": "application/x-npy"}, 415, "unsupported-media-type"),
        ({"content-encoding": "gzip"}, 415, "unsupported-media-type"),
        ({"accept": "text/html"}, 406, "not-acceptable"),
        ({"accept": "application/x-npy, image/*"}, 406, "not-acceptable"),
    ],
)
async def test_types_that_are_not_taken_are_refused(service, headers, status, kind):
    check(await service.client.post(SAMPLE, content=b"{}", headers=JSON | headers), status, kind)


@pytest.mark.parametrize(
    "headers",
    [
        {"content-type": "application/json; charset=utf-8"},
        {"content-type": "Application/JSON"},
        {"accept": "*/*"},
        {"accept": "text/html, application/json;q=0.5"},
        {"accept": "application/*"},
    ],
)
async def test_other_spellings_of_the_types_are_taken(service, headers):
    assert (await service.client.post(SAMPLE, content=b"{}", headers=JSON | headers)).status_code == 200


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
