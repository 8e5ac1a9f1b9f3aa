"""The variational autoencoder (Kingma and Welling 2014): standard normal prior, diagonal normal posterior."""

from typing import Annotated, ClassVar

import torch
from pydantic import Field
from torch import Tensor

from models.manifest import Example, OperationName
from training.coders import CoderOptions, Decoder, Encoder
from training.distributions import gaussian_kl, standard_normal_log_prob
from training.family import Family, Function, Shape, Turn


class VAEOptions(CoderOptions):
    """`beta` weighs the KL term (Higgins et al. 2017); it rises to that from 0 over the first `warmup_steps`."""

    beta: Annotated[float, Field(ge=0)] = 1.0
    warmup_steps: Annotated[int, Field(ge=0)] = 0


class VAE(Family):
    """Maximises the ELBO: log p(x | z) less beta times KL(q(z | x) || p(z)), with z = mean + sigma * epsilon."""

    Options = VAEOptions
    absent: ClassVar = {
        "complete": "a VAE's pixels are independent given the code; it has no order in which one continues from others",
        "criticize": "a VAE has no discriminator",
    }

    def __init__(self, options: VAEOptions, example: Example, shape: Shape) -> None:
        super().__init__(options, example, shape)
        self.encoder = Encoder(options, example, shape, 2 * options.latent)
        self.decoder = Decoder(options, example, shape)

    def train_step(self, x: Tensor, turn: Turn) -> dict[str, Tensor]:
        reconstruction, kl = self._terms(x, torch.randn(len(x), self.options.latent, device=x.device))
        beta = self.options.beta * min(1.0, (turn.step + 1) / max(1, self.options.warmup_steps))
        loss = (beta * kl - reconstruction).mean()
        turn.descend("all", loss)
        return {"loss": loss, "reconstruction": reconstruction.mean(), "kl": kl.mean()}

    def validation_loss(self, x: Tensor) -> Tensor:
        """-ELBO with the plain weight 1, from one sample."""
        reconstruction, kl = self._terms(x, torch.randn(len(x), self.options.latent, device=x.device))
        return kl - reconstruction

    def encode(self, x: Tensor, epsilon: Tensor) -> dict[str, Tensor]:
        """The posterior q(z | x) and a draw from it; epsilon is (batch, latent)."""
        mean, log_variance = self._posterior(x)
        return {
            "z": _reparameterize(mean, log_variance, epsilon),
            "mean": mean,
            "log_variance": log_variance,
            "kl_per_dimension": gaussian_kl(mean, log_variance),
        }

    def decode(self, z: Tensor, pixel: Tensor) -> dict[str, Tensor]:
        return self.decoder.decode(z, pixel)

    def score(self, x: Tensor, epsilon: Tensor) -> dict[str, Tensor]:
        """log p(x, z) - log q(z | x) of each sample; epsilon is (batch, samples, latent), outputs (batch, samples).

        `elbo` is the reconstruction less the analytic KL: the same expectation as `log_weight`, a smaller variance.
        """
        mean, log_variance = (part.unsqueeze(1) for part in self._posterior(x))
        z = _reparameterize(mean, log_variance, epsilon)
        reconstruction = self.decoder.log_prob(x, z)
        log_posterior = standard_normal_log_prob(epsilon) - 0.5 * log_variance.sum(-1)
        kl = gaussian_kl(mean, log_variance).sum(-1).expand_as(reconstruction)
        return {
            "log_weight": reconstruction + standard_normal_log_prob(z) - log_posterior,
            "elbo": reconstruction - kl,
            "reconstruction": reconstruction,
            "kl": kl,
        }

    def operations(self) -> dict[OperationName, Function]:
        pixel = self.decoder.likelihood.noise
        return {
            "sample": Function(self.decode, noise={"z": "normal", "pixel": pixel}),
            "encode": Function(self.encode, noise={"epsilon": "normal"}),
            "decode": Function(self.decode, noise={"pixel": pixel}),
            "score": Function(self.score, noise={"epsilon": "normal"}),
        }

    def shapes(self) -> dict[str, Shape]:
        latent = (self.options.latent,)
        return {
            "x": self.shape,
            "mean": self.shape,
            "pixel": self.decoder.likelihood.noise_shape(self.shape),
            "encode.mean": latent,
            **dict.fromkeys(("z", "epsilon", "log_variance", "kl_per_dimension"), latent),
            **dict.fromkeys(("log_weight", "elbo", "reconstruction", "kl"), ()),
        }

    def _posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(x).chunk(2, dim=-1)
        return mean, log_variance

    def _terms(self, x: Tensor, epsilon: Tensor) -> tuple[Tensor, Tensor]:
        """Reconstruction and KL in nats, each (batch,)."""
        mean, log_variance = self._posterior(x)
        reconstruction = self.decoder.log_prob(x, _reparameterize(mean, log_variance, epsilon))
        return reconstruction, gaussian_kl(mean, log_variance).sum(-1)


def _reparameterize(mean: Tensor, log_variance: Tensor, epsilon: Tensor) -> Tensor:
    return mean + (0.5 * log_variance).exp() * epsilon
