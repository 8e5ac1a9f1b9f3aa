"""An exact likelihood against a VAE's bound, on the same small data, where the entropy is known too."""

import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from models import bounds
from training.datasets.splits import Dataset
from training.distributions import standard_normal_log_prob
from training.families.vae import VAE
from training.report.plots import Line, lines
from training.theory import statistics
from training.theory.chain_rule import BINARY, every_image, log_probability
from training.theory.claim import Claim, Experiment
from training.theory.learning import learn

_SHAPE = (3, 3)
_FLIPPED = 0.05
_NODES = 20  # of Gauss-Hermite quadrature, along each of the code's two dimensions
_SAMPLES = (1, 2, 5, 20, 100, 500)
_MASKED = {"widths": [64, 64], "activation": "silu"}
_HIDDEN = {"widths": [32, 32], "activation": "silu"}


def experiment(epochs: int = 30, repeats: int = 3) -> Experiment:
    """Of bars in images of nine pixels, whose 512 probabilities are known: both families learn from 10,000 draws."""
    x = every_image(_SHAPE)
    truth = _bars(x)
    entropy = -float((truth.exp() * truth).sum())
    dataset = _draws(x, truth, 10_000)
    training = {"epochs": epochs, "batch_size": 250, "learning_rate": 1e-2, "ema": 0.99}
    coded = {"latent": 2, "likelihood": "bernoulli", "encoder": _HIDDEN, "decoder": _HIDDEN}
    model = learn(
        "autoregressive", {"likelihood": "bernoulli", "network": _MASKED}, dataset, **training
    ).family.double()
    vae = learn("vae", coded, dataset, **training).family.double()
    with torch.no_grad():
        exact, elbo, log_prob = log_probability(model, x), _elbo(vae, x), _log_prob(vae, x)
        sampled = _by_draws_from_the_prior(vae, x, truth)
        weighted = {samples: _bound(vae, x, truth, samples, repeats) for samples in _SAMPLES}
    ours, bound, theirs = (-float((truth.exp() * values).sum()) for values in (exact, elbo, log_prob))
    claims = (
        Claim("Probabilities sum to 1: the autoregressive model's", 1, float(exact.exp().sum()), tolerance=1e-9),
        Claim(
            "The VAE's do as well, were they known (here by quadrature over z)",
            1,
            float(log_prob.exp().sum()),
            tolerance=1e-9,
        ),
        Claim("What the VAE can tell, exp(ELBO), sums to less than 0.9", 0.9, float(elbo.exp().sum()), relation="<"),
        Claim(
            "No model codes the data in less than their entropy, nats: the autoregressive one",
            entropy,
            ours,
            relation=">",
        ),
        Claim("No model codes the data in less than their entropy, nats: the VAE", entropy, theirs, relation=">"),
        Claim(
            "Mean -log p(x) of the autoregressive model is exact and comes to the entropy, to 0.1 nats",
            entropy,
            ours,
            tolerance=0.1,
        ),
        Claim("Mean -ELBO of the VAE is above its -log p(x) by at least 0.1 nats", theirs + 0.1, bound, relation=">"),
        Claim("Mean -ELBO of the VAE is above the autoregressive model's -log p(x), nats", ours, bound, relation=">"),
        Claim(
            "That -log p(x), by quadrature, is also what draws from the prior give, nats",
            theirs,
            *sampled,
            tolerance=1e-3,
        ),
        Claim(
            f"With {max(_SAMPLES)} samples at least three quarters of the gap are closed, nats above -log p(x)",
            (bound - theirs) / 4,
            weighted[max(_SAMPLES)].value - theirs,
            relation="<",
        ),
    )
    return Experiment(
        "An exact likelihood and a bound",
        "Both models learn bars, rows or columns of nine pixels with some pixels flipped, whose distribution is "
        "known. An autoregressive model tells -log p(x) itself; a VAE tells a bound, and what it misses there is "
        "no fault of its p(x), which quadrature over its two codes shows. With more samples the bound comes "
        "closer.",
        claims,
        (_figure(entropy, ours, theirs, weighted),),
    )


def _bars(x: Tensor) -> Tensor:
    """log p of images, (rows,): rows or columns are lit or dark, each pattern equally likely; pixels are flipped."""
    lit = every_image((3,))
    patterns = torch.cat([lit[:, :, None].expand(-1, 3, 3), lit[:, None, :].expand(-1, 3, 3)]).flatten(1)
    flips = (x.flatten(1)[:, None] - patterns).abs().sum(2)
    each = flips * math.log(_FLIPPED) + (9 - flips) * math.log(1 - _FLIPPED)
    return each.logsumexp(1) - math.log(len(patterns))


def _draws(x: Tensor, log_prob: Tensor, rows: int) -> Dataset:
    chosen = np.random.default_rng(0).choice(len(x), size=rows, p=log_prob.exp().numpy())
    images = x.numpy().astype(np.uint8)[chosen]
    return Dataset("bars", BINARY, images, images[:1000], images[:1000])


def _log_prob(vae: VAE, x: Tensor) -> Tensor:
    """log of the integral of p(x | z) p(z) over z, (rows,), on a grid that is fine and wide."""
    side = torch.linspace(-7, 7, 141, dtype=torch.float64)
    z = torch.cartesian_prod(side, side)
    log_weight = standard_normal_log_prob(z) + 2 * math.log(14 / 140)
    return torch.cat([(part + log_weight).logsumexp(1) for part in _given(vae, x, z)])


def _by_draws_from_the_prior(vae: VAE, x: Tensor, truth: Tensor, repeats: int = 5) -> statistics.Estimate:
    """Mean -log p(x) over the data's distribution, p(x) as the mean of p(x | z) over 10,000 codes."""
    generator, means = torch.Generator().manual_seed(0), []
    for _ in range(repeats):
        z = torch.randn(10_000, 2, generator=generator, dtype=torch.float64)
        log_prob = torch.cat([part.logsumexp(1) for part in _given(vae, x, z)]) - math.log(len(z))
        means.append(-float(truth.exp() @ log_prob))
    return statistics.mean(means)


def _given(vae: VAE, x: Tensor, z: Tensor) -> Iterator[Tensor]:
    """log p(x | z) of each row with each code, in blocks (rows, codes): an empty image's, and what its pixels add."""
    logits = vae.decoder.network(z)
    empty = vae.decoder.log_prob(torch.zeros(len(z), 9, dtype=torch.float64), z)
    for rows in x.flatten(1).split(64):
        yield rows @ logits.T + empty


def _elbo(vae: VAE, x: Tensor) -> Tensor:
    """(rows,), the expectation over q by Gauss-Hermite quadrature of its noise."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(_NODES)
    noise = torch.cartesian_prod(*2 * [torch.from_numpy(nodes)])
    weight = torch.from_numpy(np.outer(weights, weights).reshape(-1) / weights.sum() ** 2)
    parts = [vae.score(rows, noise.expand(len(rows), -1, -1))["elbo"] @ weight for rows in x.split(64)]
    return torch.cat(parts)


def _bound(vae: VAE, x: Tensor, truth: Tensor, samples: int, repeats: int) -> statistics.Estimate:
    """Minus the importance weighted bound in the mean over the data's distribution."""
    generator, means = torch.Generator().manual_seed(samples), []
    for _ in range(repeats):
        noise = torch.randn(len(x), samples, 2, generator=generator, dtype=torch.float64)
        bound = bounds.importance_weighted_bound(vae.score(x, noise)["log_weight"].numpy()).value
        means.append(-float(truth.exp() @ torch.from_numpy(bound)))
    return statistics.mean(means)


def _figure(entropy: float, ours: float, theirs: float, weighted: dict[int, statistics.Estimate]) -> str:
    ends = (min(_SAMPLES), max(_SAMPLES))
    return lines(
        {
            "VAE, bound with K samples": Line(
                _SAMPLES, *zip(*weighted.values(), strict=True), style="points", color="second"
            ),
            "VAE, by quadrature": Line(ends, (theirs, theirs), color="second"),
            "autoregressive, exact": Line(ends, (ours, ours)),
            "entropy of the data": Line(ends, (entropy, entropy), style="dashes", color="ink"),
        },
        across="K",
        up="-log p(x), nats",
        name="exact-likelihood",
        logarithmic="x",
    )
