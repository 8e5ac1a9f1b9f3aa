"""One line of JSON a request: whom it asked and what became of it, and nothing that it carried."""

import errno
import json
import os

import pytest

from service import journal
from service.journal import Journal
from service.trace import Trace
from tests.service.conftest import serving


@pytest.fixture
def told(repository, capfdbinary):
    """told(ask): the lines of the requests that `ask(client)` makes of a service."""

    async def lines(ask, **settings):
        async with serving(repository, journal=True, **settings) as service:
            await ask(service.client)
        return [json.loads(line) for line in capfdbinary.readouterr().out.splitlines()]

    return lines


async def test_line_tells_whom_a_request_asked_and_what_became_of_it(told):
    async def ask(client):
        headers = {"X-Request-ID": "mine"}
        await client.post("/v2/models/tiny/sample", json={"num_samples": 3}, headers=headers)
        await client.post("/v2/models/autoencoder/sample", json={})

    good, refused = await told(ask)
    expected = {"request_id": "mine", "status": 200, "model": "tiny", "version": "1", "verb": "sample", "rows": 3}
    assert expected.items() <= good.items()
    assert (good["problem"], good["key"], good["method"]) == ("", "", "POST")
    assert good["us"] >= good["infer_us"] >= 0
    assert (refused["status"], refused["rows"]) == (422, 0)
    assert refused["problem"] == "Capability Not Supported"


async def test_each_request_has_one_line_whatever_is_in_it(told):
    """A terminal's commands and lines that would pass for the journal's own."""
    paths = ["/%1b[2J", "/%0a%7B%22level%22:%22x%22%7D", "/v2/models/%00", "/\u00e4", "/" + "a" * 5000]

    async def ask(client):
        for path in paths:
            await client.get(path, headers={"X-Request-ID": 'a"}\x1b', "User-Agent": "\x1b[2J"})

    lines = await told(ask)
    assert [line["status"] for line in lines] == [404] * len(paths)
    assert all(line["level"] == "info" and len(line["path"]) <= 512 for line in lines)
    assert not any("\x1b" in json.dumps(line, ensure_ascii=False) for line in lines)


async def test_secrets_are_not_told(told):
    async def ask(client):
        headers = {"Authorization": "Bearer SECRET", "X-API-Key": "SECRET"}
        await client.post("/v2/models/tiny/sample?seed=1&SECRET=SECRET", json={"SECRET": "SECRET"}, headers=headers)

    (line,) = await told(ask)
    assert "SECRET" not in json.dumps(line)
    assert line["path"] == "/v2/models/tiny/sample"


async def test_without_a_journal_nothing_is_written(repository, capfdbinary):
    async with serving(repository, journal=False) as service:
        await service.post("sample")
    assert capfdbinary.readouterr().out == b""


async def test_lines_that_nobody_reads_are_counted(monkeypatch):
    monkeypatch.setattr(journal, "_MOST_LINES", 2)
    reading, writing = os.pipe()
    lines = Journal(writing)
    for _ in range(5):
        lines.note(Trace(), "GET", b"/", 200, 0.0)
    lines.close()
    os.close(writing)
    with os.fdopen(reading, "rb") as read:
        told = [json.loads(line) for line in read]
    assert [line["level"] for line in told] == ["info", "info", "warning"]
    assert told[2]["missed"] == 3


@pytest.mark.parametrize("taken", [0, 10])
async def test_lines_that_find_the_disk_full_are_counted_and_later_ones_are_written(monkeypatch, tmp_path, taken):
    """Also where a part of a line was taken before there was no room."""
    path, write, full = tmp_path / "journal", os.write, [taken, None]

    def fill_up(descriptor, content):
        if not full:
            return write(descriptor, content)
        room = full.pop(0)
        if room:
            return write(descriptor, content[:room])
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "write", fill_up)
    with path.open("wb") as file:
        lines = Journal(file.fileno())
        for status in (200, 201):
            lines.note(Trace(), "GET", b"/", status, 0.0)
        lines._write(lines._taken())
        full.clear()
        lines.note(Trace(), "GET", b"/", 202, 0.0)
        lines.close()
    told = path.read_bytes().splitlines()
    assert [json.loads(line).get("status", "missed") for line in told[bool(taken) :]] == [202, "missed"]
    assert json.loads(told[-1])["missed"] == 2
    assert len(told) == 2 + bool(taken)


async def test_reader_who_has_left_costs_no_request():
    reading, writing = os.pipe()
    os.close(reading)
    lines = Journal(writing)
    for _ in range(2):
        lines.note(Trace(), "GET", b"/", 200, 0.0)
    lines.close()
    os.close(writing)
