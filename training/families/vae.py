"""The variational autoencoder (Kingma and Welling 2014): diagonal normal posterior, normal or learned prior."""

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field, model_validator
from torch import Tensor

from models.manifest import Example, OperationName
from training.coders import CoderOptions, Decoder, Encoder
from training.distributions import gaussian_kl, reparameterize, standard_normal_log_prob
from training.family import Family, Function, Shape, Turn, one_hot
from training.objectives import OBJECTIVES, Draw
from training.priors import RealNVP, RealNVPOptions, StandardNormal


class VAEOptions(CoderOptions):
    """What is maximised, by how many samples a row: the ELBO, or the importance weighted bound (Burda et al. 2016).

    `beta` weighs the KL term (Higgins et al. 2017); it rises to that from 0 over the first `warmup_steps`. No
    dimension of the code is pressed below `free_bits` nats (Kingma et al. 2016). Without a `prior`, p(z) is N(0, I).
    """

    objective: Literal["elbo", "iwae"] = "elbo"
    samples: Annotated[int, Field(ge=1)] = 1
    beta: Annotated[float, Field(ge=0)] = 1.0
    warmup_steps: Annotated[int, Field(ge=0)] = 0
    free_bits: Annotated[float, Field(ge=0)] = 0.0
    prior: RealNVPOptions | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> "VAEOptions":
        if self.objective == "iwae" and self.samples == 1:
            raise ValueError("the objective iwae needs samples, 2 or more; with one its bound is the elbo")
        if self.objective == "iwae" and (self.beta != 1 or self.free_bits):
            raise ValueError("beta and free_bits change the KL term, which the objective iwae does not have; take elbo")
        if self.prior is not None and self.free_bits:
            raise ValueError("free_bits need the KL of each dimension, which a learned prior does not give; leave one")
        return self


class VAE(Family):
    """Maximises a bound of log p(x), with z = mean + sigma * epsilon.

    With labels q(z | x), p(x | z) and a learned p(z) are given the label too (Sohn et al. 2015).
    """

    Options = VAEOptions
    conditional = True
    absent: ClassVar = {
        "complete": "a VAE's pixels are independent given the code; it has no order in which one continues from others",
        "criticize": "a VAE has no discriminator",
    }

    def __init__(self, options: VAEOptions, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__(options, example, shape, classes)
        self.encoder = Encoder(options, example, shape, 2 * options.latent, classes)
        self.decoder = Decoder(options, example, shape, classes)
        self.prior = RealNVP(options.prior, options.latent, classes) if options.prior else StandardNormal()

    def train_step(self, x: Tensor, label: Tensor | None, turn: Turn) -> dict[str, Tensor]:
        draw = self.draw(x, turn.normal(len(x), self.options.samples, self.options.latent), label)
        beta = self.options.beta * min(1.0, (turn.step + 1) / max(1, self.options.warmup_steps))
        objective = OBJECTIVES[self.options.objective]
        turn.descend("all", objective.loss(draw, beta, self.options.free_bits))
        return {
            "loss": -objective.bound(draw, beta).mean(),
            "reconstruction": draw.reconstruction.mean(),
            "kl": draw.kl.mean(),
        }

    def validation_loss(self, x: Tensor, label: Tensor | None) -> Tensor:
        """The negative of the bound that is raised, at the final beta."""
        draw = self.draw(x, torch.randn(len(x), self.options.samples, self.options.latent, device=x.device), label)
        return -OBJECTIVES[self.options.objective].bound(draw, self.options.beta)

    def sample(self, base: Tensor, pixel: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        """x, its mean and its code, from the learned prior's standard normal base (batch, latent)."""
        return self.decode(self.prior.transform(base, self._condition(label)), pixel, label)

    def encode(self, x: Tensor, epsilon: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        """The posterior q(z | x) and a draw from it; epsilon is (batch, latent).

        `kl_per_dimension` is the KL of each from N(0, 1), where that is the prior.
        """
        mean, log_variance = self._posterior(x, label)
        posterior = {"z": reparameterize(mean, log_variance, epsilon), "mean": mean, "log_variance": log_variance}
        return posterior if self.options.prior else posterior | {"kl_per_dimension": gaussian_kl(mean, log_variance)}

    def decode(self, z: Tensor, pixel: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        return self.decoder.decode(z, pixel, self._condition(label))

    def score(self, x: Tensor, epsilon: Tensor, label: Tensor | None = None) -> dict[str, Tensor]:
        """log p(x, z) - log q(z | x) of each sample; epsilon is (batch, samples, latent), outputs (batch, samples).

        `elbo` is the reconstruction less the KL, which is analytic under the normal prior: the same expectation as
        `log_weight`, and mostly a smaller variance. Under a learned prior it is log_weight itself.
        """
        draw = self.draw(x, epsilon, label)
        return {
            "log_weight": draw.log_weight,
            "elbo": draw.reconstruction - draw.kl,
            "reconstruction": draw.reconstruction,
            "kl": draw.kl,
        }

    def draw(self, x: Tensor, epsilon: Tensor, label: Tensor | None = None) -> Draw:
        """Codes from the posterior of each row, with what they are worth; epsilon is (batch, samples, latent)."""
        mean, log_variance = (part.unsqueeze(1) for part in self._posterior(x, label))
        z = reparameterize(mean, log_variance, epsilon)
        condition = self._condition(label)
        reconstruction = self.decoder.log_prob(x, z, condition)
        log_prior = self.prior.log_prob(z, condition)
        log_posterior = standard_normal_log_prob(epsilon) - 0.5 * log_variance.sum(-1)
        analytic = gaussian_kl(mean, log_variance).sum(-1).expand_as(reconstruction)
        kl = log_posterior - log_prior if self.options.prior else analytic
        return Draw(mean, log_variance, z, reconstruction, log_prior, log_posterior, kl)

    def operations(self) -> dict[OperationName, Function]:
        pixel, label = self.decoder.likelihood.noise, self.classes > 0
        from_prior = (self.sample, "base") if self.options.prior else (self.decode, "z")
        return {
            "sample": Function(from_prior[0], noise={from_prior[1]: "normal", "pixel": pixel}, label=label),
            "encode": Function(self.encode, noise={"epsilon": "normal"}, label=label),
            "decode": Function(self.decode, noise={"pixel": pixel}, label=label),
            "score": Function(self.score, noise={"epsilon": "normal"}, label=label),
        }

    def shapes(self) -> dict[str, Shape]:
        latent = (self.options.latent,)
        own = ("base",) if self.options.prior else ("kl_per_dimension",)
        return {
            "x": self.shape,
            "mean": self.shape,
            "pixel": self.decoder.likelihood.noise_shape(self.shape),
            "encode.mean": latent,
            **dict.fromkeys(("z", "epsilon", "log_variance", *own), latent),
            **dict.fromkeys(("log_weight", "elbo", "reconstruction", "kl"), ()),
        }

    def _condition(self, label: Tensor | None) -> Tensor | None:
        return None if label is None else one_hot(label, self.classes)

    def _posterior(self, x: Tensor, label: Tensor | None) -> tuple[Tensor, Tensor]:
        mean, log_variance = self.encoder(x, self._condition(label)).chunk(2, dim=-1)
        return mean, log_variance
