"""Every kind of model that a family makes is trained, exported, and served with all that it can do and nothing else."""

import asyncio

import numpy as np
import pytest

from models.manifest import OPERATIONS
from models.repository import read_bundle
from tests.service.conftest import serving
from tests.training.conftest import MEMBERS, examples

ROWS = 3
VERBS = {
    "sample": (["sample"], lambda asked: {"num_samples": ROWS}),
    "encode": (["encode"], lambda asked: {"x": asked.x}),
    "decode": (["decode"], lambda asked: {"z": asked.z}),
    "reconstruct": (["encode", "decode"], lambda asked: {"x": asked.x}),
    "interpolate": (["decode"], lambda asked: {"start": {"z": asked.z[0]}, "end": {"z": asked.z[1]}, "steps": ROWS}),
    "traverse": (["decode"], lambda asked: {"origin": {"z": asked.z[0]}, "dimension": 1, "values": [-1, 0, 1]}),
    "score": (["score"], lambda asked: {"x": asked.x, "samples": 4}),
    "complete": (["complete"], lambda asked: {"x": asked.x, "mask": np.zeros_like(asked.x).tolist()}),
    "criticize": (["criticize"], lambda asked: {"x": asked.x}),
}
LABELS = {"interpolate": 1, "traverse": 1}  # one for the whole path, elsewhere one a row


CODED = {"encode", "decode", "reconstruct", "interpolate", "traverse"}
DRAWN = {"sample", "decode", "interpolate", "traverse"}
OFFERED = {
    "autoencoder": CODED,
    "autoregressive": {"sample", "score", "complete"},
    "gan": DRAWN | {"criticize"},
    "vae": CODED | {"sample", "score"},
    "wgan": DRAWN | {"criticize"},
}
LACKED = {
    "autoregressive-mixture": {"complete"},
    "vae-kept-back": {"score", "encode", "reconstruct"},
    "wgan-conditional": {"criticize"},
}


class Asked:
    """What is asked of a member: bodies of each verb, with the labels that it needs."""

    def __init__(self, name, manifest):
        self.name, self.member, self.manifest = name, MEMBERS[name], manifest
        self.x = examples(self.member.likelihood, rows=ROWS).tolist()
        self.z = [[0.0, 0.5], [1.0, -1.0], [0.25, 2.0]]

    def body(self, verb):
        label = {"label": LABELS.get(verb, [0, 1, 2])} if self.member.conditional else {}
        return {"seed": 3, **VERBS[verb][1](self), **label}

    def offers(self, verb):
        return not self.lacks(verb)

    def lacks(self, verb):
        return [name for name in VERBS[verb][0] if name not in self.manifest.operations]


@pytest.fixture(scope="module", params=MEMBERS)
def answers(request, trained):
    """answers(verb, change): the status and the JSON of the member's service."""
    made = trained(request.param)
    asked = Asked(request.param, read_bundle(made.folder).manifest)

    async def ask_all(requests):
        async with serving(made.repository) as service:
            posted = [await service.post(verb, model=request.param, **body) for verb, body in requests]
            return [(answer.status_code, answer.json()) for answer in posted]

    def ask(*requests):
        return asyncio.run(ask_all(requests))

    return asked, ask


def test_all_that_it_offers_is_answered_alike_twice(answers):
    asked, ask = answers
    verbs = [verb for verb in VERBS if asked.offers(verb)]
    first, second = (ask(*((verb, asked.body(verb)) for verb in verbs)) for _ in range(2))
    assert first == second
    for verb, (status, answer) in zip(verbs, first, strict=True):
        assert status == 200, (verb, answer)
        assert len(next(answer[key] for key in ("rows", "realness", "z", "x") if key in answer)) == ROWS
    assert set(verbs) == OFFERED[asked.member.family] - LACKED.get(asked.name, set())


def test_what_it_lacks_is_refused_with_its_reason_and_what_it_can(answers):
    asked, ask = answers
    verbs = [verb for verb in VERBS if not asked.offers(verb)]
    for verb, (status, answer) in zip(verbs, ask(*((verb, asked.body(verb)) for verb in verbs)), strict=True):
        assert status == 422
        assert answer["type"] == "urn:reparam:capability-not-supported"
        assert any(asked.manifest.absent[name] in answer["detail"] for name in asked.lacks(verb))
        assert answer["operations"] == [name for name in OPERATIONS if name in asked.manifest.operations]
    assert verbs


def test_label_is_needed_by_a_conditional_model_and_refused_by_another(answers):
    asked, ask = answers
    verbs = [verb for verb in VERBS if asked.offers(verb)]
    bodies = {verb: asked.body(verb) for verb in verbs}
    turned = [(verb, _without_label(body) if "label" in body else body | {"label": 1}) for verb, body in bodies.items()]
    for verb, (status, answer) in zip(verbs, ask(*turned), strict=True):
        assert status == 422, verb
        assert ("needs a label" if asked.member.conditional else "takes no label") in answer["detail"]


def test_samples_are_examples_that_the_model_itself_can_score(answers):
    asked, ask = answers
    if not {"sample", "score"} <= set(asked.manifest.operations):
        assert asked.member.family in {"autoencoder", "gan", "wgan"} or "score" in asked.member.keep_back
        return
    ((_, drawn),) = ask(("sample", asked.body("sample")))
    ((status, scored),) = ask(("score", asked.body("score") | {"x": drawn["x"]}))
    assert status == 200
    assert all(np.isfinite(row["importance_weighted_bound"]) for row in scored["rows"])
    assert (scored["rows"][0].get("bits_per_dim") is None) == (asked.manifest.x.support == "real")


def _without_label(body):
    return {key: value for key, value in body.items() if key != "label"}
