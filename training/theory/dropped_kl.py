"""What dropping the KL term does: the posterior shrinks to a point, the KL has no bound, the prior is left behind."""

import math
from functools import partial

import numpy as np
import torch
from torch import Tensor

from training.objectives import Draw
from training.report.plots import Line, lines, scatter
from training.theory.claim import Claim, Experiment
from training.theory.linear_gaussian import elbo_loss, exact_terms, learn_encoder, linear_vae, marginal
from training.theory.ring import OFF, REACH, data, judge, learn_ring, prior_samples

_BETAS = (1.0, 1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
_LATENT = 2
_SHOWN = 500


def experiment(rows: int = 10_000, epochs: int = 40) -> Experiment:
    """As beta goes to 0, in the linear case; and at beta = 0, in a trained network."""
    deviations, kls = _as_beta_falls()
    trained = learn_ring("vae", epochs, beta=0.0)
    drawn, truth = prior_samples(trained, rows), judge(data(rows, seed=4))
    deviation, kl = _codes(trained, data(1000, seed=5))
    claims = (
        Claim(
            "As β falls the posterior sd does: steps in which it does not",
            0,
            float((np.diff(deviations) >= 0).sum()),
        ),
        Claim(
            "It goes to 0 like the root of β: β 100 times smaller, the sd is so many times as large",
            0.1,
            deviations[-1] / deviations[-3],
            tolerance=1e-3,
        ),
        Claim(
            "The KL rises without bound: by log(10) / 2 a dimension whenever β is 10 times smaller, nats",
            _LATENT * math.log(10) / 2,
            kls[-1] - kls[-2],
            tolerance=1e-3,
        ),
        Claim("A network trained at β = 0: its mean posterior sd is below 0.05", 0.05, deviation, relation="<"),
        Claim("Its KL is above 10 nats, in a code of two dimensions", 10, kl, relation=">"),
        Claim("Of its prior samples at least a half lie off the data, %", 50, 100 * drawn.off, relation=">"),
        Claim(
            "log p(sample) under the data's own density: below the data's own by at least 3 nats",
            3,
            float(truth.log_prob.mean() - drawn.log_prob.mean()),
            relation=">",
        ),
    )
    return Experiment(
        "Without the KL term",
        "Noise in the code only hurts the reconstruction, so without a price for it the posterior shrinks to a "
        "point: its deviation goes with the root of β, and the KL from the prior grows by log(10) / 2 nats a "
        "dimension with every tenfold cut. The codes then lie anywhere, and the prior's samples off the data: a "
        "VAE without its KL term is an autoencoder. A point is off the data where its density is below that of "
        f"{1 - OFF:.0%} of the data's own points.",
        claims,
        (
            lines(
                {
                    "posterior sd": Line(_BETAS, deviations),
                    "KL, nats a row": Line(_BETAS, kls, color="second"),
                },
                across="β",
                up="at the best encoder",
                name="dropped-kl",
                logarithmic="xy",
            ),
            scatter(
                {"data": truth.points[:_SHOWN], "prior at β = 0": drawn.points[:_SHOWN]},
                name="dropped-prior",
                reach=REACH,
            ),
        ),
    )


def _as_beta_falls() -> tuple[list[float], list[float]]:
    """The posterior's mean deviation, and the KL in nats a row, of the best encoder at each beta."""
    vae = linear_vae(6, _LATENT)
    x = marginal(vae).sample((100,))
    deviations, kls = [], []
    for beta in _BETAS:
        learn_encoder(vae, x, partial(_scaled_loss, beta))
        coded = vae.encode(x, torch.zeros(len(x), _LATENT, dtype=torch.float64))
        deviations.append(float((0.5 * coded["log_variance"]).exp().mean()))
        kls.append(float(exact_terms(vae, x)["kl"].mean()))
    return deviations, kls


def _scaled_loss(beta: float, draw: Draw) -> Tensor:
    """In units of beta, so that the optimiser sees what is at stake."""
    return elbo_loss(beta)(draw) / beta


@torch.no_grad()
def _codes(vae: torch.nn.Module, x: np.ndarray) -> tuple[float, float]:
    """The mean deviation of q, and its KL from the prior in nats a row."""
    coded = vae.encode(torch.from_numpy(x), torch.zeros(len(x), _LATENT))
    return float((0.5 * coded["log_variance"]).exp().mean()), float(coded["kl_per_dimension"].sum(1).mean())
