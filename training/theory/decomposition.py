"""The bound and what it misses: log p(x) = ELBO + KL(q || posterior)."""

import numpy as np
import torch
from torch import Tensor
from torch.distributions import kl_divergence

from training.families.vae import VAE
from training.report.plots import Line, lines
from training.theory.claim import Claim, Experiment
from training.theory.linear_gaussian import (
    approximation,
    encode_by,
    exact_terms,
    linear_vae,
    marginal,
    posterior,
    posterior_map,
)

_ROUNDING = 1e-10  # nats, in double precision


def experiment(rows: int = 200) -> Experiment:
    """On a linear VAE with normal noise, where p(x), p(z | x) and the ELBO are known."""
    vae = linear_vae(6, 3)
    x = marginal(vae).sample((rows,))
    log_prob, elbo, kl = _terms(vae, x)
    path = _path(vae, x)
    best = log_prob - _terms(vae, x)[1]
    precision = posterior_map(vae)[2]
    constant = 0.5 * float(precision.diagonal().log().sum() - precision.logdet())
    missed, spread = _where_q_is_the_posterior(rows)
    claims = (
        Claim(
            "log p(x) = ELBO + KL(q ‖ posterior), nats: the largest error of all rows",
            0,
            float((elbo + kl - log_prob).abs().max()),
            tolerance=_ROUNDING,
        ),
        Claim("The ELBO is below log p(x), nats: the smallest gap", 0, float((log_prob - elbo).min()), relation=">"),
        Claim("Where q is the posterior the ELBO is log p(x): the largest gap", 0, missed, tolerance=_ROUNDING),
        Claim("There each sample's weight is p(x), whatever the noise: log spread", 0, spread, tolerance=_ROUNDING),
        *(
            Claim(
                f"The best q without correlations misses the same for all x: {name}", constant, gap, tolerance=_ROUNDING
            )
            for name, gap in (("the least", float(best.min())), ("the most", float(best.max())))
        ),
    )
    return Experiment(
        "log p(x) is the ELBO and what q misses",
        "A linear VAE with normal noise has a p(x) and a posterior in closed form, so nothing here is estimated. "
        "Whatever the encoder does, the ELBO and KL(q ‖ posterior) sum to log p(x): to raise the bound is to "
        "bring q to the posterior. In the figure q goes from a random encoder's to the best one whose dimensions "
        "are independent.",
        claims,
        (_figure(path),),
    )


def _terms(vae: VAE, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """log p(x), ELBO and KL(q || posterior) of each row, each by its own formula."""
    kl = kl_divergence(approximation(vae, x), posterior(vae, x))
    return marginal(vae).log_prob(x), exact_terms(vae, x)["elbo"], kl


def _path(vae: VAE, x: Tensor) -> Tensor:
    """Means over the rows of the three terms, (21, 3), while q goes to the best one without correlations."""
    layer = vae.encoder.network[-1]
    start = layer.weight.clone(), layer.bias.clone()
    gain, offset, precision = posterior_map(vae)
    encode_by(vae, gain, offset, 1 / precision.diagonal())
    end = layer.weight.clone(), layer.bias.clone()
    means = []
    for share in np.linspace(0, 1, 21):
        layer.weight.data, layer.bias.data = (torch.lerp(a, b, share) for a, b in zip(start, end, strict=True))
        means.append(torch.stack([term.mean() for term in _terms(vae, x)]))
    return torch.stack(means)


def _where_q_is_the_posterior(rows: int) -> tuple[float, float]:
    """The largest gap and the largest deviation of log weights, the posterior's dimensions being independent."""
    vae = linear_vae(6, 3, orthogonal=True)
    x = marginal(vae).sample((rows,))
    gain, offset, precision = posterior_map(vae)
    encode_by(vae, gain, offset, 1 / precision.diagonal())
    log_prob, elbo, _ = _terms(vae, x)
    log_weight = vae.score(x, torch.randn(rows, 16, 3, dtype=torch.float64))["log_weight"]
    return float((log_prob - elbo).abs().max()), float(log_weight.std(1).max())


def _figure(path: Tensor) -> str:
    share = np.linspace(0, 1, len(path)).tolist()
    log_prob, elbo, kl = path.T
    return lines(
        {
            "log p(x)": Line(share, log_prob.tolist(), style="dashes", color="ink"),
            "ELBO": Line(share, elbo.tolist()),
            "ELBO + KL(q ‖ posterior)": Line(share, (elbo + kl).tolist(), style="points", color="second"),
        },
        across="from a random q to the best without correlations",
        up="nats a row",
        name="decomposition",
    )
