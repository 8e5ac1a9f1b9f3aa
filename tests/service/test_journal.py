"""One line of JSON a request: whom it asked and what became of it, and nothing that it carried."""

import asyncio
import errno
import json
import os
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service import journal
from service.journal import Journal
from service.metrics import Metrics
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


@pytest.fixture
def pipe():
    """Its two ends; the journal's own is closed by the journal."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    yield reading, writing
    os.close(reading)
    os.close(writing)


def note(lines, path=b"/", count=1):
    for _ in range(count):
        lines.note(Trace(), "GET", path, 200, 0.0)


def read(end):
    """The lines that are there."""
    told = b""
    with suppress(BlockingIOError):
        while more := os.read(end, 2**16):
            told += more
    return [json.loads(line) for line in told.splitlines()]


@settings(max_examples=300)
@given(st.binary(max_size=600))
def test_line_is_one_line_of_plain_json_whatever_the_path(path):
    line = journal._line(Trace(), "GET", path, 404, 0.1)
    assert line.isascii()
    assert not any(byte < 0x20 or byte == 0x7F for byte in line[:-1])
    assert len(json.loads(line)["path"]) == min(len(path), 512)


async def test_line_is_there_a_turn_of_the_loop_after_its_request(pipe):
    """A kill takes none with it."""
    reading, writing = pipe
    note(Journal(writing, Metrics()), count=3)
    await asyncio.sleep(0)
    assert len(read(reading)) == 3


async def test_reader_who_stands_still_holds_nobody_up_and_what_it_misses_is_counted(pipe, monkeypatch):
    monkeypatch.setattr(journal, "_MOST_LINES", 500)
    monkeypatch.setattr(journal, "_PAUSE", 0.005)
    reading, writing = pipe
    metrics = Metrics()
    lines = Journal(writing, metrics)
    for _ in range(100):
        note(lines, count=20)
        await asyncio.sleep(0)
    missed = metrics.journal_missed._value.get()
    assert missed > 0
    told = read(reading)
    while len(told) < 2000 - missed:
        await asyncio.sleep(0.01)
        told += read(reading)
    note(lines)
    await asyncio.sleep(0)
    assert [line["level"] for line in [*told, *read(reading)]] == ["info"] * (2000 - int(missed)) + ["warning", "info"]


async def test_pipe_of_others_waits_for_its_reader_as_before(pipe):
    _, writing = pipe
    note(Journal(writing, Metrics()))
    assert os.get_blocking(writing)


async def test_end_writes_what_there_is_and_waits_for_no_reader_who_stands_still(pipe, monkeypatch):
    monkeypatch.setattr(journal, "_PATIENCE", 0.05)
    reading, writing = pipe
    lines = Journal(writing, Metrics())
    note(lines, count=2)
    lines.close()
    assert len(read(reading)) == 2
    lines = Journal(writing, Metrics())
    note(lines, count=2000)
    lines.close()
    assert 0 < len(read(reading)) < 2000


@pytest.mark.parametrize("taken", [0, 10])
async def test_lines_that_find_the_disk_full_are_written_when_it_has_room(monkeypatch, tmp_path, taken):
    """Also where a part of a line was taken before there was no room."""
    monkeypatch.setattr(journal, "_PAUSE", 0.001)
    path, write, full = tmp_path / "journal", os.write, [taken, 0, 0]

    def fill_up(descriptor, content):
        if not full:
            return write(descriptor, content)
        room = full.pop(0)
        if room:
            return write(descriptor, content[:room])
        raise OSError(errno.ENOSPC, "no space left")

    monkeypatch.setattr(os, "write", fill_up)
    with path.open("wb") as file:
        lines = Journal(file.fileno(), Metrics())
        note(lines, count=3)
        while full:
            await asyncio.sleep(0.001)
        lines.close()
    assert [json.loads(line)["level"] for line in path.read_bytes().splitlines()] == ["info"] * 3


async def test_reader_who_has_left_costs_no_request():
    reading, writing = os.pipe()
    os.close(reading)
    lines = Journal(writing, Metrics())
    note(lines, count=2)
    await asyncio.sleep(0)
    lines.close()
    os.close(writing)
