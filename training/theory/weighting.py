"""What each term of the ELBO does, seen as the KL term weighs more: one reconstructs, the other regularizes."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from training.families.vae import VAE
from training.report.plots import Line, lines
from training.theory.claim import Claim, Experiment
from training.theory.linear_gaussian import (
    decoder_map,
    elbo_loss,
    exact_terms,
    kl_from_prior,
    learn_encoder,
    linear_vae,
    marginal,
    posterior_map,
)

_BETAS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_PRECISE = 1e-4  # of what an optimiser reaches
_FACTOR = 1.02


def experiment(rows: int = 100, betas: Sequence[float] = _BETAS) -> Experiment:
    """The best encoder for a fixed linear decoder, by the VAE's own loss at each beta."""
    vae = linear_vae(6, 2)
    x = marginal(vae).sample((rows,))
    terms, apart = [], []
    for beta in betas:
        learn_encoder(vae, x, elbo_loss(beta))
        terms.append(_means(vae, x))
        apart.append(_apart(vae, x, beta))
    reconstruction, kl = np.array(terms).T
    traded = _traded(vae, x, beta=3.0)
    learn_encoder(
        vae, x, lambda draw: elbo_loss(1.0)(draw._replace(reconstruction=torch.zeros_like(draw.reconstruction)))
    )
    kl_alone = _means(vae, x)[1]
    learn_encoder(vae, x, elbo_loss(0.0))
    claims = (
        Claim("The KL term alone makes q the prior: the KL left, nats", 0, kl_alone, tolerance=_PRECISE),
        Claim(
            "The reconstruction alone (β = 0) makes the code the least-squares projection of x: furthest off",
            0,
            _from_projection(vae, x),
            tolerance=_PRECISE,
        ),
        Claim("It also takes all noise from the code: the largest posterior sd", 0, _deviation(vae, x), tolerance=0.01),
        Claim("As β rises the KL falls: steps in which it does not", 0, float((np.diff(kl) >= 0).sum())),
        Claim(
            "As β rises so does the reconstruction error: steps in which it does not",
            0,
            float((np.diff(reconstruction) >= 0).sum()),
        ),
        Claim(
            "At each β q is the best one in closed form: mean and variance furthest off",
            0,
            max(apart),
            tolerance=_PRECISE,
        ),
        Claim("At β = 3 one nat of KL is worth so many nats of reconstruction", 3, traded, tolerance=0.01),
    )
    return Experiment(
        "One term of the ELBO reconstructs, the other regularizes",
        "For a fixed linear decoder the loss at each β finds its best encoder. Where the KL weighs little, "
        "codes are sharp and rebuild x as well as the decoder can; where it weighs much, q becomes the prior and "
        "tells nothing of x. At the optimum β is the price: one nat of KL less costs β nats of "
        "reconstruction.",
        claims,
        (_figure(betas, -reconstruction, kl),),
    )


def _means(vae: VAE, x: Tensor) -> tuple[float, float]:
    """Reconstruction and KL in nats a row."""
    return float(exact_terms(vae, x)["reconstruction"].mean()), float(kl_from_prior(vae, x).mean())


def _coded(vae: VAE, x: Tensor) -> dict[str, Tensor]:
    return vae.encode(x, x.new_zeros(len(x), vae.options.latent))


def _apart(vae: VAE, x: Tensor, beta: float) -> float:
    """How far mean and variance are from those of the best q without correlations."""
    coded = _coded(vae, x)
    gain, offset, precision = posterior_map(vae, beta)
    mean, variance = x @ gain.T + offset, 1 / precision.diagonal()
    return max(float((coded["mean"] - mean).abs().max()), float((coded["log_variance"].exp() - variance).abs().max()))


def _from_projection(vae: VAE, x: Tensor) -> float:
    weight, offset, _ = decoder_map(vae)
    return float((_coded(vae, x)["mean"] - (x - offset) @ torch.linalg.pinv(weight).T).abs().max())


def _deviation(vae: VAE, x: Tensor) -> float:
    return float((0.5 * _coded(vae, x)["log_variance"]).exp().max())


def _traded(vae: VAE, x: Tensor, beta: float) -> float:
    """The slope of reconstruction over KL along the optima."""
    around = []
    for near in (beta / _FACTOR, beta * _FACTOR):
        learn_encoder(vae, x, elbo_loss(near))
        around.append(_means(vae, x))
    (reconstruction, kl) = np.diff(around, axis=0)[0]
    return float(reconstruction / kl)


def _figure(betas: Sequence[float], error: np.ndarray, kl: np.ndarray) -> str:
    return lines(
        {
            "-E log p(x | z)": Line(betas, error.tolist()),
            "KL(q ‖ prior)": Line(betas, kl.tolist(), color="second"),
        },
        across="β",
        up="nats a row",
        name="weighting",
        logarithmic="x",
    )
