"""What is counted has names from closed sets, whatever callers make up."""

import random

from service.errors import STATUS
from service.metrics import Metrics

ASKED = 3000
LARGEST = 256 * 2**10  # bytes of /metrics
METHODS = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE", "MADE-UP"]


def made_up(chance):
    """A request of a caller that tries all there is to try."""
    word = "".join(chance.choices('abcdefghijklmnop-_.0123456789\u00e4\x00"{}', k=chance.randint(1, 40)))
    path = chance.choice(
        [f"/{word}", f"/v2/models/{word}/sample", f"/v2/models/tiny/{word}", f"/v2/models/tiny/versions/{word}/sample"]
    )
    names = [b"host", b"x-request-id", b"accept", b"content-type", b"authorization", word.encode()]
    headers = [(chance.choice(names), word.encode()) for _ in range(chance.randint(0, 4))]
    return {
        "type": "http",
        "method": chance.choice(METHODS),
        "path": path,
        "raw_path": path.encode(),
        "query_string": word.encode(),
        "headers": headers,
        "server": ("r", 80),
        "client": ("127.0.0.1", 1),
        "http_version": "1.1",
        "scheme": "http",
        "root_path": "",
    }


async def test_made_up_names_add_no_series_and_are_no_bugs(service):
    chance, statuses = random.Random(1), set()

    async def receive():
        return {"type": "http.request", "body": b"{}", "more_body": False}

    async def send(message):
        statuses.add(message.get("status"))

    async def ask(count):
        for _ in range(count):
            await service.app(made_up(chance), receive, send)
        return set(await service.series())

    before = await ask(300)
    after = await ask(ASKED)
    new = {line for line in after - before if 'model="tiny"' not in line}
    assert len(new) <= len({int(status) for status in STATUS.values()})  # of a status that was not met before
    assert not any(status and status >= 500 for status in statuses)
    assert len((await service.client.get("/metrics")).content) <= LARGEST


def test_requests_are_counted_again_under_a_version_that_was_dropped():
    metrics = Metrics()
    for _ in range(2):
        metrics.answered("tiny", "1", "sample", 200, 0.001)
        metrics.answered("tiny", "1", "sample", 503, 0.001)
        told = metrics.render().decode()
        assert 'reparam_requests_total{code="200",model="tiny",operation="sample",version="1"} 1.0' in told
        metrics.forget("tiny", "1")
        assert "reparam_requests_total{" not in metrics.render().decode()
    assert 'reparam_request_duration_seconds_count{operation="sample"} 4.0' in metrics.render().decode()


def test_nothing_is_kept_of_versions_that_are_gone_nor_of_what_was_counted_later():
    metrics = Metrics()
    for version in ("1", "2"):
        metrics.answered("tiny", version, "sample", 200, 0.001)
    metrics.answered("", "", "", 404, 0.001)
    metrics.forget("tiny", "1")
    metrics.answered("tiny", "1", "sample", 200, 0.001)  # it was under way
    metrics.keep({("tiny", "2")})
    told = metrics.render().decode()
    assert 'model="tiny",operation="sample",version="1"' not in told
    assert 'model="tiny",operation="sample",version="2"' in told
    assert 'code="404",model="",operation="",version=""' in told
    assert ("tiny", "1") not in metrics.runs()
