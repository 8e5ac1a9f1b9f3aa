"""Several processes that share each batch learn what one alone would, and one of them publishes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import training
from models.repository import Repository, read_bundle
from tests.training.conftest import build, data
from training.errors import RecipeError
from training.family import Turn
from training.objectives import OBJECTIVES
from training.processes import is_first, launch
from training.recipe import Training


@pytest.fixture
def torchrun(tmp_path):
    """torchrun(*arguments): what reparam-train prints where two processes follow it, and its places."""

    def run(*arguments):
        command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
        said = subprocess.run(
            [*command, "-m", "training", *map(str, arguments)],
            cwd=Path(training.__file__).parents[1],
            env=os.environ | {"OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert said.returncode == 0, said.stderr
        return said.stdout

    return run


def history(folder):
    return json.loads(read_bundle(folder).files["history.json"])


def test_two_processes_learn_what_one_learns_and_publish_once(torchrun, trained, tmp_path):
    alone = trained("vae-conditional")
    bundles, runs = tmp_path / "bundles", tmp_path / "runs"
    said = torchrun(alone.recipe, "--repository", bundles, "--runs", runs, "--device", "cpu")
    assert said.count("published") == 1
    assert list(Repository(bundles).list()) == [("vae-conditional", "1")]
    assert [len(list(runs.rglob(kept))) for kept in ("checkpoint*", "events.out*")] == [0, 1]
    together, expected = history(bundles / "vae-conditional" / "1"), history(alone.folder)
    assert len(together) == len(expected)
    for row, by_one in zip(together, expected, strict=True):
        assert row == pytest.approx(by_one, rel=1e-5)


def test_batch_that_cannot_be_shared_is_refused(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(RecipeError, match="2 processes cannot share a batch_size of 15; take a multiple"):
        launch(Training(epochs=1, batch_size=15), "cpu")


@pytest.mark.parametrize(("rank", "first"), [(None, True), ("0", True), ("1", False)])
def test_first_process_is_the_one_of_rank_0_or_alone(monkeypatch, rank, first):
    monkeypatch.delenv("RANK", raising=False)
    if rank is not None:
        monkeypatch.setenv("RANK", rank)
    assert is_first() == first


def turn(rank=0, processes=1, **of):
    """A step of one of several processes."""
    fabric = SimpleNamespace(global_rank=rank, world_size=processes, device="cpu", **of)
    return Turn(0, fabric, {})


def test_processes_share_out_the_noise_that_one_alone_would_draw():
    drawn = []
    for each in (turn(), *(turn(rank, 3) for rank in range(3))):
        torch.manual_seed(0)
        drawn.append(each.normal(6 if each.fabric.world_size == 1 else 2, 4, 5))
    whole, *parts = drawn
    assert whole.shape == (6, 4, 5)
    assert torch.equal(torch.cat(parts), whole)


def test_all_processes_descend_the_mean_of_their_gradients():
    weight = torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    sent = []

    def all_reduce(gradient, reduce_op):
        sent.append(gradient.clone())
        return {"mean": (gradient + torch.tensor([4.0, 0.0])) / 2}[reduce_op]  # the other process had 4 and 0

    fabric = SimpleNamespace(world_size=2, backward=torch.Tensor.backward, all_reduce=all_reduce)
    Turn(0, fabric, {"all": torch.optim.SGD([weight], lr=1.0)}).descend("all", (2 * weight).sum())
    assert [gradient.tolist() for gradient in sent] == [[2, 2]]
    assert weight.tolist() == [1 - 3, 2 - 1]


OPTIONS = {
    "elbo": {"beta": 0.5},
    "iwae": {"objective": "iwae", "samples": 4},
    "learned prior": {"prior": {"layers": 2}},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_gradient_of_a_batch_is_the_mean_of_those_of_its_parts(options):
    module = build("vae", "bernoulli", encoder={"widths": []}, **options)
    objective = OBJECTIVES[module.options.objective]
    x, _ = data("vae-bernoulli", rows=20)
    epsilon = torch.randn(20, module.options.samples, 2, generator=torch.Generator().manual_seed(0))
    last = module.encoder.network[-1]
    last.weight.data[:2], last.bias.data[:2] = 0.2, 0.5
    x[:10], x[10:] = 1, 0  # means of 12 * 0.2 + 0.5 and of 0.5: KLs of 4.2 and 0.125 nats a dimension

    def gradient(rows):
        draw = module.draw(x[rows], epsilon[rows], None)
        loss = objective.loss(draw, module.options.beta, 0.0)
        return torch.cat([part.flatten() for part in torch.autograd.grad(loss, list(module.parameters()))])

    parts = (gradient(slice(0, 10)) + gradient(slice(10, 20))) / 2
    np.testing.assert_allclose(parts, gradient(slice(0, 20)), rtol=1e-4, atol=1e-5)
