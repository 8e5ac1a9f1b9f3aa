"""The mathematics of the course, measured with the project's own losses and families."""

from collections.abc import Callable

from training.theory import (
    autoencoder,
    chain_rule,
    decomposition,
    dropped_kl,
    estimators,
    exact_likelihood,
    fixed_point,
    gaussian_kl,
    gradients,
    importance,
    linear_vae,
    prior_samples,
    reparameterization,
    weighting,
)
from training.theory.claim import Experiment

EXPERIMENTS: dict[str, Callable[[], Experiment]] = {
    "autoencoder-objective": autoencoder.experiment,
    "prior-samples": prior_samples.experiment,
    "dropped-kl": dropped_kl.experiment,
    "bound-decomposition": decomposition.experiment,
    "bound-terms": weighting.experiment,
    "gaussian-kl": gaussian_kl.experiment,
    "reparameterization": reparameterization.experiment,
    "gradient-estimators": gradients.experiment,
    "bound-estimators": estimators.experiment,
    "importance-weighted-bound": importance.experiment,
    "linear-vae": linear_vae.experiment,
    "chain-rule": chain_rule.experiment,
    "exact-likelihood": exact_likelihood.experiment,
    "fixed-point-sampling": fixed_point.experiment,
}
"""By the name that `reparam-theory` takes, in the order of the page."""
