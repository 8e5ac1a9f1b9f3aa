"""How well the halves of a completed example go together, as the model itself judges by log p(x)."""

import numpy as np

from models.provenance import Figure
from training import views
from training.datasets.splits import Examples
from training.evaluation.figures import mean_figure
from training.evaluation.terms import SEED, log_probability, score_terms
from training.exported import Exported

_COMPLETED = 1000


def completion_figures(exported: Exported, test: Examples) -> dict[str, Figure]:
    """log p(x) of random examples with one half drawn by the model, the other kept; `completed_kept` is of all of x.

    A last half is drawn given the first. A first half cannot be: what it lacks in log p(x) is what the model did not
    know of the half that was kept.
    """
    chosen = test.take(np.random.default_rng(SEED).permutation(len(test.x))[:_COMPLETED])
    first = (np.arange(chosen.x[0].size) < chosen.x[0].size // 2).reshape(chosen.x.shape[1:])
    kept = {"completed_kept": np.ones_like(first), "completed_last_half": first, "completed_first_half": ~first}
    return {name: _log_prob(exported, chosen, mask) for name, mask in kept.items()}


def _log_prob(exported: Exported, examples: Examples, mask: np.ndarray) -> Figure:
    kept = np.broadcast_to(mask, examples.x.shape)
    completed = Examples(views.completed(exported, examples, kept, SEED), examples.label)
    return mean_figure(score_terms(exported, completed, (1,))[log_probability(exported, 1)], "nats")
