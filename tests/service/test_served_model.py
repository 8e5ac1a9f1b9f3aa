"""What a model refuses, before anything is queued; and what it says of what it answers."""

import threading

import numpy as np
import pytest

from service import inputs, served_model
from service.served_model import ServedModel
from tests.service.conftest import serving
from tests.service.test_generative import LABELS, MASK, SEED, X, Z

ROW = X[:1].tolist()
ROWS = X.tolist()
CODES = Z.tolist()


async def refusal(service, verb, model="tiny", **body):
    """The detail of a 422, for which no graph has been run."""
    before = await runs(service)
    response = await service.post(verb, model, **body)
    assert response.status_code == 422, response.text
    assert await runs(service) == before
    return response.json()["detail"]


async def runs(service):
    series = await service.series()
    return sum(value for name, value in series.items() if name.startswith("reparam_infer_duration_seconds_count"))


async def test_runs_are_counted(service):
    """Else the refusals below would prove nothing."""
    before = await runs(service)
    await service.ask("sample")
    assert await runs(service) == before + 1


@pytest.mark.parametrize(
    ("verb", "body", "limit"),
    [
        ("sample", {"num_samples": 21}, "rows: 21 is over the limit of 20"),
        ("sample", {"num_samples": 10**18}, "is over the limit of 20"),
        ("encode", {"x": ROWS * 5}, "rows: 25 is over the limit of 20"),
        ("score", {"x": ROW, "samples": 13}, "samples: 13 is over the limit of 12"),
        ("score", {"x": ROWS, "samples": 10}, "rows times samples: 50 is over the limit of 48"),
        ("interpolate", {"start": {"seed": 1}, "end": {"seed": 2}, "steps": 11}, "steps: 11 is over the limit of 10"),
        ("traverse", {"origin": {"seed": 1}, "dimension": 0, "values": [0] * 11}, "values: 11 is over the limit of 10"),
    ],
)
async def test_limit_is_named_before_anything_is_queued(small, verb, body, limit):
    assert limit in await refusal(small, verb, **body)


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("sample", {"num_samples": 20}),
        ("score", {"x": ROW, "samples": 12}),
        ("score", {"x": ROWS[:4], "samples": 12}),
        ("interpolate", {"start": {"seed": 1}, "end": {"seed": 2}, "steps": 10}),
    ],
)
async def test_limit_itself_is_allowed(small, verb, body):
    assert await small.ask(verb, **body)


@pytest.mark.parametrize(("limit", "status"), [(12 * 10 * 20, 200), (12 * 10 * 20 - 1, 422)])
async def test_answer_that_would_be_too_long_is_refused(repository, limit, status):
    """At 12 bytes a number; a sample is ten of them: x, its mean and z."""
    async with serving(repository, answer_bytes=limit) as running:
        response = await running.post("sample", num_samples=20)
    assert response.status_code == status
    assert (f"bytes of answer: 2,400 is over the limit of {limit:,}" in response.text) == (status == 422)


@pytest.mark.parametrize(
    ("model", "verb", "body", "complaint"),
    [
        ("labelled", "sample", {}, "labelled needs a label to sample: 0 to 1"),
        ("labelled", "encode", {"x": ROW}, "labelled needs a label to encode"),
        ("labelled", "sample", {"label": 2}, "label goes from 0 to 1: plain, shifted"),
        ("labelled", "sample", {"label": [0, 1], "num_samples": 3}, "label has 2 values for 3 rows"),
        ("labelled", "interpolate", {"start": {"z": [0, 0]}, "end": {"z": [1, 1]}}, "needs a label to decode"),
        ("tiny", "sample", {"label": 0}, "tiny takes no label to sample"),
        ("tiny", "score", {"x": ROW, "label": 0}, "tiny takes no label to score"),
        ("labelled", "criticize", {"x": ROW, "label": LABELS[:1]}, "labelled takes no label to criticize"),
    ],
)
async def test_label_is_required_or_refused_as_the_manifest_says(service, model, verb, body, complaint):
    assert complaint in await refusal(service, verb, model, **body)


@pytest.mark.parametrize(
    ("verb", "body", "complaint"),
    [
        ("encode", {"x": X[0].tolist()}, "x has shape [2, 2]; tiny needs [rows, 2, 2]"),
        ("encode", {"x": [[0, 1, 1, 0]]}, "x has shape [1, 4]; tiny needs [rows, 2, 2]"),
        ("decode", {"z": [[0, 0, 0]]}, "z has shape [1, 3]; tiny needs [rows, 2]"),
        ("encode", {"x": [[[0, 0.5], [0, 0]]]}, "x holds values that tiny gives no probability; it takes 0 and 1"),
        ("score", {"x": [[[0, 2], [0, 0]]]}, "x leaves the range of tiny, 0 and 1"),
        ("score", {"x": [[[0, -1], [0, 0]]]}, "x leaves the range of tiny, 0 and 1"),
        ("complete", {"x": ROWS, "mask": ROW}, "mask has 1 rows, x 5"),
        ("complete", {"x": ROW, "mask": [[[0, 0.5], [0, 0]]]}, "mask holds values other than 0 and 1"),
        ("interpolate", {"start": {"z": [0]}, "end": {"seed": 1}}, "z has shape [1]; here tiny needs one, of [2]"),
        ("traverse", {"origin": {"z": [0, 0]}, "dimension": 2, "values": [0]}, "dimension goes from 0 to 1"),
    ],
)
async def test_what_does_not_fit_the_model_is_refused(service, verb, body, complaint):
    assert complaint in await refusal(service, verb, **body)


@pytest.mark.parametrize("wrong", range(len(X)))
async def test_large_tensor_is_looked_at_in_a_thread_and_in_every_part(service, monkeypatch, wrong):
    looked, check_tensor = [], inputs.check_tensor

    def look(*arguments):
        looked.append(threading.current_thread())
        check_tensor(*arguments)

    monkeypatch.setattr(served_model, "_LARGE", 0)
    monkeypatch.setattr(inputs, "_AT_A_TIME", 1)
    monkeypatch.setattr(inputs, "check_tensor", look)
    x = X.copy()
    x[wrong, 0, 0] = 2
    assert "x leaves the range" in await refusal(service, "encode", x=x.tolist())
    assert len(looked) == 1
    assert looked[0] is not threading.current_thread()


@pytest.mark.parametrize("wanted", [["x", "log_weight"], ["model"], [""]])
@pytest.mark.parametrize(
    ("verb", "body", "offered"),
    [
        ("sample", {}, "x, mean, z"),
        ("encode", {"x": ROW}, "z, mean, log_variance, kl_per_dimension"),
        ("decode", {"z": CODES}, "x, mean, z"),
        ("reconstruct", {"x": ROW}, "x, mean, z"),
        ("interpolate", {"start": {"x": X[0].tolist()}, "end": {"seed": 2}}, "x, mean, z"),
        ("traverse", {"origin": {"seed": 1}, "dimension": 0, "values": [0]}, "x, mean, z"),
        ("complete", {"x": ROW, "mask": MASK[:1].tolist()}, "x"),
    ],
)
async def test_outputs_that_there_are_not_are_refused_before_any_run(service, verb, body, offered, wanted):
    assert await refusal(service, verb, **body, outputs=wanted) == f"outputs may be {offered}"


@pytest.mark.parametrize(
    ("verb", "body", "wanted", "names"),
    [
        ("sample", {}, None, {"x", "z"}),
        ("sample", {}, ["mean"], {"mean"}),
        ("encode", {"x": ROW}, None, {"z", "mean", "log_variance", "kl_per_dimension"}),
        ("encode", {"x": ROW}, ["log_variance"], {"log_variance"}),
        ("decode", {"z": CODES}, None, {"x"}),
        ("decode", {"z": CODES}, ["mean", "z"], {"mean", "z"}),
        ("reconstruct", {"x": ROW}, None, {"x", "z"}),
        ("interpolate", {"start": {"seed": 1}, "end": {"seed": 2}}, ["z", "mean"], {"z", "mean"}),
        ("complete", {"x": ROW, "mask": MASK[:1].tolist()}, None, {"x"}),
    ],
)
async def test_outputs_are_those_wanted(service, verb, body, wanted, names):
    asked = {} if wanted is None else {"outputs": wanted}
    answer = await service.ask(verb, **body, **asked)
    assert set(answer) - {"model", "version", "digest", "seed", "index", "conditioning"} == names


@pytest.mark.parametrize(
    ("verb", "body", "absent"),
    [
        ("sample", {}, "sample"),
        ("score", {"x": ROW}, "score"),
        ("complete", {"x": ROW, "mask": ROW}, "complete"),
        ("criticize", {"x": ROW}, "criticize"),
        ("interpolate", {"start": {"seed": 1}, "end": {"z": [0, 0]}}, "sample"),
    ],
)
async def test_missing_capability_is_refused_in_the_models_own_terms(service, verb, body, absent):
    detail = await refusal(service, verb, "autoencoder", **body)
    assert detail == f"autoencoder cannot {absent}: it was left out. It can encode and decode."


@pytest.mark.parametrize("verb", ["reconstruct", "interpolate", "traverse"])
async def test_without_decoder_there_are_no_paths(service, verb):
    body = {"start": {"z": [0]}, "end": {"z": [0]}} if verb == "interpolate" else {"origin": {"z": [0]}}
    body = {"x": ROW} if verb == "reconstruct" else body
    body = body | {"dimension": 0, "values": [0]} if verb == "traverse" else body
    assert "exact cannot decode: it was left out. It can score." in await refusal(service, verb, "exact", **body)


PREFIX, HOLE, REVERSED = [[1, 1], [1, 0]], [[1, 0], [1, 0]], [[0, 1], [1, 1]]


@pytest.mark.parametrize(
    ("masks", "order", "conditioning"),
    [
        ([PREFIX], (0, 1, 2, 3), "exact"),
        ([HOLE], (0, 1, 2, 3), "causal"),
        ([PREFIX, HOLE], (0, 1, 2, 3), "causal"),
        ([REVERSED], (3, 2, 1, 0), "exact"),
        ([PREFIX], (3, 2, 1, 0), "causal"),
        ([HOLE], (0, 2, 1, 3), "exact"),
        ([PREFIX], None, "exact"),
        ([REVERSED], None, "causal"),
        ([[[0, 0], [0, 0]]], (2, 0, 1, 3), "exact"),
    ],
)
async def test_conditioning_is_exact_on_a_prefix_of_the_order(service, masks, order, conditioning, monkeypatch):
    model = service.app.state.registry.get("tiny")
    monkeypatch.setattr(model, "manifest", model.manifest.model_copy(update={"order": order}))
    answer = await service.ask("complete", x=[ROW[0]] * len(masks), mask=masks)
    assert answer["conditioning"] == conditioning


async def test_answer_says_who_gave_it(service):
    response = await service.post("sample", seed=SEED, index=4)
    digest = service.app.state.registry.get("tiny").digest
    who = {"model": "tiny", "version": 1, "digest": digest, "seed": SEED, "index": 4}
    assert {key: response.json()[key] for key in who} == who
    headers = {"Reparam-Model": "tiny/1", "Reparam-Digest": digest, "Reparam-Seed": str(SEED)}
    assert {key: response.headers[key] for key in headers} == headers


async def test_rows_whose_arithmetic_overflows_are_null_with_a_reason(service, monkeypatch):
    async def overflow(self, z, draw, outputs):
        return {"x": np.float32([[0, 1], [np.nan, 1], [0, 0], [np.inf, -np.inf]]), "mean": np.zeros((4, 2), np.float32)}

    monkeypatch.setattr(ServedModel, "decode", overflow)
    answer = (await service.post("decode", z=CODES[:4], outputs=["x", "mean"])).json()
    why = "the model's arithmetic overflowed on this row"
    assert answer["x"] == [[0, 1], [None, 1], [0, 0], [None, None]]
    assert answer["reasons"] == [None, why, None, why]
