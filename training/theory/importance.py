"""The importance weighted bound (Burda et al. 2016): it rises with its number of samples K, up to log p(x)."""

from itertools import pairwise

import torch
from torch import Tensor

from models import bounds
from training.objectives import OBJECTIVES
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.claim import Claim, Experiment
from training.theory.linear_gaussian import encode_by, exact_terms, linear_vae, marginal, posterior_map
from training.theory.statistics import Estimate

_SAMPLES = (1, 2, 5, 20, 100, 1000)


def experiment(repeats: int = 1000) -> Experiment:
    """Of one x with a q that is off, each bound measured so many times."""
    vae = linear_vae(4, 2)
    x = marginal(vae).sample((1,))
    gain, offset, precision = posterior_map(vae)
    encode_by(vae, 0.6 * gain, 0.6 * offset, 2 / precision.diagonal())
    log_prob, elbo = float(marginal(vae).log_prob(x)), float(exact_terms(vae, x)["elbo"])
    rows, noise = x.expand(repeats, -1), torch.randn(repeats, max(_SAMPLES), 2, dtype=torch.float64)
    log_weight = vae.score(rows, noise)["log_weight"]
    measured = {samples: _bound(log_weight, samples) for samples in _SAMPLES}
    means = {samples: statistics.mean(bound) for samples, bound in measured.items()}
    gains = {(fewer, more): statistics.mean(measured[more] - measured[fewer]) for fewer, more in pairwise(_SAMPLES)}
    in_training = OBJECTIVES["iwae"].bound(vae.draw(rows, noise[:, :20]), 1.0)
    weight = (log_weight - log_prob).exp()
    claims = (
        Claim("With K = 1 it is the ELBO, nats", elbo, *means[1]),
        *(
            Claim(
                f"It rises: K = {more} over K = {fewer}, at least two standard errors",
                2 * gain.std_error,
                gain.value,
                relation=">",
            )
            for (fewer, more), gain in gains.items()
        ),
        Claim("It stays below log p(x): K = 20", log_prob, means[20].value, relation="<"),
        Claim("With K = 1000 it has come to log p(x), to 0.01 nats", log_prob, *means[1000], tolerance=0.01),
        Claim("A weight is an unbiased estimate of p(x): their mean over p(x)", 1, *statistics.mean(weight.mean(1))),
        Claim(
            "What training raises is what the service answers: furthest apart, K = 20",
            0,
            float((in_training - measured[20]).abs().max()),
            tolerance=1e-9,
        ),
    )
    return Experiment(
        "The importance weighted bound rises to log p(x)",
        "The log of the mean of K weights p(x, z) / q(z | x) is a lower bound too: with one weight the ELBO, with "
        "more a tighter one, whatever q is. The q here is off on purpose, and the bound still comes to log p(x), "
        "which this linear VAE knows. Bars are two standard errors.",
        claims,
        (_figure(log_prob, elbo, means),),
    )


def _bound(log_weight: Tensor, samples: int) -> Tensor:
    """As the service computes it, from the first samples of each row."""
    return torch.from_numpy(bounds.importance_weighted_bound(log_weight[:, :samples].numpy()).value)


def _figure(log_prob: float, elbo: float, means: dict[int, Estimate]) -> str:
    ends = (1, max(_SAMPLES))
    return lines(
        {
            "log p(x)": Line(ends, (log_prob, log_prob), style="dashes", color="ink"),
            "ELBO": Line(ends, (elbo, elbo), style="dashes", color="second"),
            "importance weighted bound": Line(_SAMPLES, *zip(*means.values(), strict=True), style="points"),
        },
        across="K",
        up="nats",
        name="importance",
        logarithmic="x",
    )
