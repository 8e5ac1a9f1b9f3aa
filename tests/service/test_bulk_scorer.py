"""Scores of many rows are those of one request, however they are cut, interrupted and taken up again."""

import asyncio
import csv
import io

import httpx
import numpy as np
import pytest

from models.errors import ReparamError
from service.bulk import table
from service.bulk.partial import Partial
from service.bulk.scorer import Scorer, rows_of_a_part
from service.bulk.sources import open_source
from service.client import AsyncReparam, Unreachable
from tests.service.test_generative import X

ROWS = np.resize(X, (23, 2, 2))


class Run:
    """The bulk scoring of an array by the service at hand."""

    def __init__(self, service, folder, x=ROWS, model="tiny", samples=4, transport=None):
        self.folder, self.model, self.samples = folder, model, samples
        self.client = AsyncReparam(
            "http://localhost", transport=transport or httpx.ASGITransport(service.app), retries=0
        )
        np.save(folder / "x.npy", x)

    async def __call__(self, rows=5, window=3, told=lambda rows: None):
        model = await self.client.model(self.model)
        source = open_source(self.folder / "x.npy", model)
        partial = Partial(self.folder / "partial", {})
        try:
            await Scorer(self.client, model, source, self.samples, 9, None, rows, window).run(partial, told)
            return b"".join(partial.parts())
        finally:
            partial.close()


@pytest.fixture
def folder(tmp_path_factory):
    return lambda: tmp_path_factory.mktemp("run")


def parsed(lines):
    return list(csv.DictReader(io.StringIO((table.head("row") + lines).decode())))


@pytest.mark.parametrize(("rows", "window"), [(1, 1), (1, 4), (5, 3), (7, 2), (100, 4)])
async def test_scores_do_not_depend_on_the_parts(service, folder, rows, window):
    found = await Run(service, folder())(rows, window)
    told = (await service.post("score", x=ROWS.tolist(), samples=4, seed=9)).json()
    lines = parsed(found)
    assert [line["row"] for line in lines] == [str(row) for row in range(23)]
    for line, row in zip(lines, told["rows"], strict=True):
        for name in ("elbo", "elbo_std_error", "importance_weighted_bound", "effective_sample_size", "bits_per_dim"):
            assert float(line[name]) == row[name]
        assert (line["kind"], line["unit"], line["samples"], line["reliable"]) == ("lower_bound", "nats", "4", "false")
        assert (line["percentile"], line["reason"]) == ("", "")


async def test_run_that_was_cut_off_goes_on_to_the_same_bytes(service, folder):
    whole = await Run(service, folder())()
    run, seen = Run(service, folder()), []

    def stop(rows):
        seen.append(rows)
        if len(seen) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await run(told=stop)
    assert await run(told=seen.append) == whole
    assert seen == [5, 5, 5, 5, 3]


async def test_no_more_requests_are_under_way_than_the_window(service, folder):
    inner, now, most, full = httpx.ASGITransport(service.app), 0, 0, asyncio.Event()

    class Counting(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request):
            nonlocal now, most
            now += 1
            most = max(most, now)
            if now == 3:
                full.set()
            if request.method == "POST":  # a score, not the question what the model is
                await asyncio.wait_for(full.wait(), 30)
                await asyncio.sleep(0.002)
            response = await inner.handle_async_request(request)
            now -= 1
            return response

    await Run(service, folder(), transport=Counting())(rows=1, window=3)
    assert most == 3


@pytest.mark.parametrize("rows", [1, 5, 23])
async def test_row_that_is_not_finite_has_a_reason_and_changes_no_other(service, folder, rows):
    clean = parsed(await Run(service, folder())(rows))
    spoilt = ROWS.copy()
    spoilt[3, 0, 1], spoilt[20] = np.nan, np.inf
    found = parsed(await Run(service, folder(), spoilt)(rows))
    for row in (3, 20):
        assert found[row] == dict.fromkeys(clean[row], "") | {"row": str(row), "reason": table.NOT_FINITE}
    assert [line for row, line in enumerate(found) if row not in (3, 20)] == [
        line for row, line in enumerate(clean) if row not in (3, 20)
    ]


async def test_score_that_overflows_has_a_reason(service, folder):
    found = parsed(await Run(service, folder(), np.zeros((1, 2, 2)), "overflowing")())
    assert "overflowed" in found[0]["reason"]
    assert found[0]["elbo"] == ""


async def test_exact_model_says_so(service, folder):
    found = parsed(await Run(service, folder(), model="exact")())
    assert {(line["kind"], line["samples"], line["reliable"]) for line in found} == {("exact", "1", "true")}


async def test_row_that_has_no_probability_is_named(service, folder):
    spoilt = ROWS.copy()
    spoilt[17, 0, 0] = 0.5
    with pytest.raises(ReparamError, match="row 17 holds values that tiny gives no probability; it takes 0 and 1"):
        await Run(service, folder(), spoilt)()


async def test_refusal_names_the_rows(small, folder):
    with pytest.raises(ReparamError, match=r"rows 0 to 19: rows times samples.*; a smaller --rows may do"):
        await Run(small, folder())(rows=20)


async def test_service_that_is_gone_is_told(service, folder):
    def gone(request):
        raise httpx.ConnectError("refused")

    with pytest.raises(Unreachable):
        await Run(service, folder(), transport=httpx.MockTransport(gone))()


def test_parts_are_worth_a_request_and_within_the_limits():
    assert rows_of_a_part(1, 784) == 1024
    assert rows_of_a_part(64, 784) == 32
    assert rows_of_a_part(100_000, 784) == 1
    assert rows_of_a_part(1, 2**21) == 1
