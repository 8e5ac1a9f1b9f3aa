"""A VAE with linear halves and normal noise: p(x), p(z | x) and so every bound are known in closed form.

With one deviation for all dimensions that is probabilistic PCA (Tipping and Bishop 1999), with one for each, factor
analysis. All in double precision.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.distributions import MultivariateNormal, kl_divergence

from models.manifest import Example
from training.families.vae import VAE, VAEOptions
from training.objectives import OBJECTIVES, Draw

REAL = Example(kind="vector", support="real")
LINEAR = {"widths": []}


def linear_vae(dimensions: int, latent: int, seed: int = 0, orthogonal: bool = False) -> VAE:
    """With random weights of about 1 in the decoder; `orthogonal` ones make the posterior's dimensions independent."""
    torch.manual_seed(seed)
    options = {"latent": latent, "likelihood": "gaussian", "encoder": LINEAR, "decoder": LINEAR}
    vae = VAE(VAEOptions.model_validate(options), REAL, (dimensions,)).double().eval()
    weight = torch.randn(dimensions, latent, dtype=torch.float64)
    if orthogonal:
        weight = torch.linalg.qr(weight)[0] * torch.linspace(1, 2, latent, dtype=torch.float64)
    vae.decoder.network[-1].weight.data = weight
    vae.decoder.likelihood.log_scale.data.fill_(math.log(0.7))
    return vae.requires_grad_(False)


def encode_by(vae: VAE, weight: Tensor, offset: Tensor, variance: Tensor) -> None:
    """Let q(z | x) be N(weight x + offset, variance), with (latent, D), (latent,) and (latent,)."""
    layer = vae.encoder.network[-1]
    layer.weight.data = torch.cat([weight, torch.zeros_like(weight)])
    layer.bias.data = torch.cat([offset, variance.log()])


def marginal(vae: VAE) -> MultivariateNormal:
    """p(x) = N(b, W W' + Psi)."""
    weight, offset, noise = decoder_map(vae)
    return MultivariateNormal(offset, weight @ weight.T + noise.diag())


def posterior_map(vae: VAE, beta: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
    """p(z | x) = N(weight x + offset, precision^-1): (latent, D), (latent,), (latent, latent).

    With another `beta` it is the q, were it free to correlate, of the greatest E_q log p(x | z) - beta KL.
    """
    weight, offset, noise = decoder_map(vae)
    known = weight.T / noise
    precision = known @ weight / beta + torch.eye(weight.shape[1], dtype=torch.float64)
    gain = torch.linalg.solve(precision, known / beta)
    return gain, -gain @ offset, precision


def posterior(vae: VAE, x: Tensor) -> MultivariateNormal:
    """p(z | x) of each row."""
    weight, offset, precision = posterior_map(vae)
    return MultivariateNormal(x @ weight.T + offset, precision_matrix=precision)


def approximation(vae: VAE, x: Tensor) -> MultivariateNormal:
    """q(z | x) of each row."""
    coded = vae.encode(x, x.new_zeros(len(x), vae.options.latent))
    return MultivariateNormal(coded["mean"], covariance_matrix=torch.diag_embed(coded["log_variance"].exp()))


def kl_from_prior(vae: VAE, x: Tensor) -> Tensor:
    """KL(q || N(0, I)) of each row, by torch's formula."""
    latent = vae.options.latent
    prior = MultivariateNormal(x.new_zeros(latent), torch.eye(latent, dtype=x.dtype))
    return kl_divergence(approximation(vae, x), prior)


def sigma_points(vae: VAE, rows: int) -> Tensor:
    """Noise (rows, 2 latent, latent) over which the mean of anything quadratic in z is its expectation, exactly."""
    axes = math.sqrt(vae.options.latent) * torch.eye(vae.options.latent, dtype=torch.float64)
    return torch.cat([axes, -axes]).expand(rows, -1, -1)


def exact_terms(vae: VAE, x: Tensor) -> dict[str, Tensor]:
    """What `score` gives, each term (rows,) as its expectation over q."""
    return {name: term.mean(1) for name, term in vae.score(x, sigma_points(vae, len(x))).items()}


def elbo_loss(beta: float) -> Callable[[Draw], Tensor]:
    """What a VAE with this beta minimises."""
    return lambda draw: OBJECTIVES["elbo"].loss(draw, beta, 0.0)


def learn_encoder(vae: VAE, x: Tensor, loss: Callable[[Draw], Tensor]) -> None:
    """The encoder alone, down a loss as it is in expectation, to its end."""
    vae.encoder.requires_grad_()
    optimizer = torch.optim.LBFGS(
        vae.encoder.parameters(),
        max_iter=300,
        tolerance_grad=1e-9,
        tolerance_change=1e-13,
        line_search_fn="strong_wolfe",
    )

    def closure() -> float:
        optimizer.zero_grad()
        value = loss(vae.draw(x, sigma_points(vae, len(x))))
        value.backward()
        return float(value.detach())

    optimizer.step(closure)
    vae.encoder.requires_grad_(False)


def decoder_map(vae: VAE) -> tuple[Tensor, Tensor, Tensor]:
    """p(x | z) = N(W z + b, Psi) in the units of x: W (D, latent), b (D,) and the diagonal of Psi (D,)."""
    codes = torch.cat([torch.zeros(1, vae.options.latent), torch.eye(vae.options.latent)]).double()
    mean = vae.decode(codes, torch.zeros(len(codes), *vae.shape).double())["mean"]
    drawn = vae.decode(codes[:1], torch.ones(1, *vae.shape).double())["x"]
    return (mean[1:] - mean[0]).T, mean[0], (drawn[0] - mean[0]).square()
