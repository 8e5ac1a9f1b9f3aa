"""Lines leave as their rows are ready, no further ahead than one part, and a failure midway is the last line."""

import asyncio
import json

import numpy as np
import pytest

from service import assembly
from service.errors import QueueFull
from service.served_model import ServedModel
from tests import tiny_bundle
from tests.service.conftest import serving
from tests.service.test_errors import FIELDS, check
from tests.service.test_reproducibility import CODES, MASKS, NOISY, PATHS, ROWS, body

LINES = {"accept": "application/x-ndjson"}


def lines(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    assert response.content.endswith(b"\n")
    return [json.loads(line, parse_constant=pytest.fail) for line in response.content.splitlines()]


@pytest.mark.parametrize("verb", [*NOISY, *PATHS, "criticize"])
@pytest.mark.parametrize("index", [0, 4])
async def test_lines_are_the_rows_of_the_answer(service, small, verb, index):
    """Whatever the size of the parts: a run of `small` takes three rows, of `service` all of them."""
    asked = ({"x": ROWS} if verb == "criticize" else body(verb)) | {"seed": 3, "index": index}
    whole = (await service.post(verb, **asked)).json()
    found = lines(await small.post(verb, headers=LINES, **asked))
    assert found == lines(await service.post(verb, headers=LINES, **asked))
    assert [line.pop("index") for line in found] == list(range(index, index + 10))
    if verb == "score":
        for_all = {name: whole[name] for name in ("kind", "unit", "samples")}
        assert found == [for_all | row for row in whole["rows"]]
    else:
        for_all = {name: whole[name] for name in ("conditioning", "realness_kind") if name in whole}
        tensors = [name for name in ("x", "z", "mean", "log_variance", "kl_per_dimension", "realness") if name in whole]
        assert found == [for_all | {name: whole[name][i] for name in tensors} for i in range(10)]


@pytest.mark.parametrize("labels", [1, [1], [0, 1] * 5])
async def test_each_row_keeps_its_label(service, small, labels):
    asked = {"x": ROWS, "label": labels}
    whole = await service.ask("encode", "labelled", **asked)
    found = lines(await small.post("encode", "labelled", headers=LINES, **asked))
    assert (np.float32([line["z"] for line in found]) == whole["z"]).all()


async def test_conditioning_is_that_of_all_rows(small):
    masks = [[[1, 1], [0, 0]]] * 5 + [[[0, 0], [1, 1]]]
    found = lines(await small.post("complete", headers=LINES, x=ROWS[:6], mask=masks))
    assert {line["conditioning"] for line in found} == {"causal"}


async def test_rows_that_meet_a_target_together_are_scored_together(small):
    asked = {"x": ROWS[:4], "samples": 2, "target_std_error": 1e-9, "seed": 1}
    whole = (await small.post("score", **asked)).json()
    found = lines(await small.post("score", headers=LINES, **asked))
    assert {line["samples"] for line in found} == {whole["samples"]} == {12}
    assert [line["elbo"] for line in found] == [row["elbo"] for row in whole["rows"]]


@pytest.mark.parametrize(
    ("verb", "asked", "kind"),
    [
        ("sample", {"num_samples": 21}, "limit-exceeded"),
        ("sample", {"num_samples": 20, "label": 1}, "invalid-input"),
        ("encode", {"x": [*ROWS[:9], [[0, 2], [0, 0]]]}, "invalid-input"),
        ("decode", {"z": [*CODES[:9], [0, 1, 2]]}, "invalid-input"),
        ("score", {"x": ROWS, "samples": 5}, "limit-exceeded"),
        ("complete", {"x": ROWS, "mask": MASKS[:4]}, "invalid-input"),
        ("complete", {"x": ROWS, "mask": [*MASKS[:9], [[0, 2], [0, 0]]]}, "invalid-input"),
        ("reconstruct", {"x": [*ROWS[:9], [[0, 2], [0, 0]]]}, "invalid-input"),
        ("interpolate", PATHS["interpolate"] | {"steps": 11}, "limit-exceeded"),
    ],
)
async def test_what_is_wrong_with_the_last_row_is_refused_before_the_first_leaves(small, verb, asked, kind):
    check(await small.post(verb, headers=LINES, **asked), 422, kind)


async def test_labels_that_do_not_match_the_rows_are_refused_before_the_first_leaves(small):
    for labels in ([0, 1, 0], [0] * 11, [0] * 9 + [2]):
        check(await small.post("encode", "labelled", LINES, x=ROWS, label=labels), 422, "invalid-input")


async def test_model_without_the_verb_is_told_so(small):
    check(await small.post("sample", "autoencoder", LINES), 422, "capability-not-supported")


class Reader:
    """Asks for twelve rows as lines, and takes each part of the answer only when it is told to."""

    def __init__(self, service, **headers):
        self.started = None
        self.parts = []
        self._may = asyncio.Semaphore(0)
        self._sent = asyncio.Queue()
        self._gone = asyncio.Event()
        content = b'{"num_samples": 12, "seed": 3}'
        given = {"content-type": "application/json", **LINES, **headers}
        self._messages = [{"type": "http.request", "body": content, "more_body": False}]
        scope = {"type": "http", "method": "POST", "path": "/v2/models/tiny/sample", "query_string": b""}
        scope |= {"raw_path": b"/v2/models/tiny/sample", "server": ("r", 80), "http_version": "1.1", "scheme": "http"}
        scope |= {"root_path": "", "headers": [(k.encode(), v.encode()) for k, v in given.items()]}
        self.task = asyncio.create_task(service.app(scope, self._receive, self._send))

    async def _receive(self):
        if self._messages:
            return self._messages.pop()
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message["type"] == "http.response.start":
            self.started = message
            return
        await self._may.acquire()
        await self._sent.put(message)

    async def take(self):
        self._may.release()
        return (await asyncio.wait_for(self._sent.get(), 10))["body"]

    def leave(self):
        self._gone.set()


@pytest.fixture
def runs(monkeypatch):
    """The first rows of the parts that were run."""
    run, seen = ServedModel.sample, []

    async def counted(self, rows, draw, outputs):
        seen.append(draw.index)
        return await run(self, rows, draw, outputs)

    monkeypatch.setattr(ServedModel, "sample", counted)
    return seen


async def settled():
    for _ in range(20):
        await asyncio.sleep(0.002)


async def test_no_part_is_run_before_the_one_before_it_was_taken(small, runs):
    reader = Reader(small)
    for part in range(4):
        await settled()
        assert runs == [0, 3, 6, 9][: part + 1]
        assert [json.loads(line)["index"] for line in (await reader.take()).splitlines()] == [
            3 * part + row for row in range(3)
        ]
    assert await reader.take() == b""
    await reader.task


async def test_rows_of_a_graph_that_loops_leave_after_each_of_its_runs(tmp_path, runs, monkeypatch):
    """However many rows others' runs take, one of these takes as many as end soon: here a single one."""
    monkeypatch.setattr(assembly, "_LONGEST_LOOP", 0)
    tiny_bundle.publish(tmp_path, operations=["sample"], loops=True)
    async with serving(tmp_path) as service:
        reader = Reader(service)
        taken = [(await reader.take()).count(b"\n") for _ in range(13)]
        await reader.task
        assert taken == [1] * 12 + [0]
        assert runs == list(range(12))
        assert (await service.series())['reparam_batch_rows_count{graph="decode",model="tiny",version="1"}'] == 12


@pytest.mark.parametrize(("samples", "parts"), [(1, 4), (2, 10), (4, 10)])
async def test_part_of_a_score_has_as_many_rows_as_a_run_takes_with_their_samples(small, samples, parts):
    before = await small.series()
    found = lines(await small.post("score", headers=LINES, x=ROWS, samples=samples, seed=1))
    name = 'reparam_queue_duration_seconds_count{graph="score",model="tiny",version="1"}'
    assert len(found) == 10
    assert (await small.series())[name] - before.get(name, 0) == parts


async def test_caller_who_leaves_costs_no_further_run(small, runs):
    reader = Reader(small)
    await reader.take()
    reader.leave()
    await asyncio.wait_for(reader.task, 10)
    await settled()
    assert len(runs) <= 2


@pytest.fixture
def broken_at_six(monkeypatch):
    """Every part but the first two fails as it is told to."""
    run = ServedModel.sample

    def break_with(error):
        async def breaking(self, rows, draw, outputs):
            if draw.index >= 6:
                raise error
            return await run(self, rows, draw, outputs)

        monkeypatch.setattr(ServedModel, "sample", breaking)

    return break_with


@pytest.mark.parametrize("is_bug", [False, True])
async def test_failure_midway_is_a_last_line_with_the_problem(small, broken_at_six, is_bug, caplog):
    broken_at_six(ZeroDivisionError("a secret") if is_bug else QueueFull("full", retry_after=1))
    response = await small.post("sample", headers=LINES, num_samples=12, seed=3)
    *rows, last = lines(response)
    assert [row["index"] for row in rows] == list(range(6))
    assert set(last) == FIELDS
    assert last["status"] == (500 if is_bug else 503)
    assert last["request_id"] == response.headers["X-Request-ID"]
    assert "secret" not in response.text
    assert ("met a bug" in caplog.text) == is_bug


async def test_deadline_midway_is_a_last_line_too(small):
    reader = Reader(small, **{"x-request-timeout-ms": "300"})
    first = await reader.take()
    assert len(first.splitlines()) == 3
    await asyncio.sleep(0.4)
    last = json.loads(await reader.take())
    await reader.task
    assert set(last) == FIELDS
    assert last["status"] == 504


async def test_failure_in_the_first_part_has_its_own_status(repository, monkeypatch):
    async with serving(repository, batch_rows=3) as service:

        async def full(*_):
            raise QueueFull("full", retry_after=1)

        monkeypatch.setattr(ServedModel, "sample", full)
        check(await service.post("sample", headers=LINES, num_samples=12), 503, "queue-full")
