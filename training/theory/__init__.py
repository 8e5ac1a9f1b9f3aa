"""The mathematics of the course, measured with the project's own losses and families."""

from collections.abc import Callable

from training.theory import (
    clipping,
    generator_criterion,
    generator_gradients,
    gradient_penalty,
    lipschitz_critics,
    mode_collapse,
    optimal_discriminator,
    parallel_lines,
    saturation,
    spectral_norm,
    value_function,
)
from training.theory.autoencoder import autoencoder_objective
from training.theory.chain_rule import chain_rule
from training.theory.claim import Experiment
from training.theory.decomposition import decomposition
from training.theory.dropped_kl import dropped_kl
from training.theory.estimators import estimators
from training.theory.exact_likelihood import exact_likelihood
from training.theory.fixed_point import fixed_point
from training.theory.gaussian_kl import gaussian_kl_three_ways
from training.theory.gradients import gradients
from training.theory.importance import importance
from training.theory.linear_vae import linear_vae_learns
from training.theory.prior_samples import samples_of_the_prior
from training.theory.reparameterization import reparameterization
from training.theory.weighting import weighting

EXPERIMENTS: dict[str, Callable[[], Experiment]] = {
    "autoencoder-objective": autoencoder_objective,
    "prior-samples": samples_of_the_prior,
    "dropped-kl": dropped_kl,
    "bound-decomposition": decomposition,
    "bound-terms": weighting,
    "gaussian-kl": gaussian_kl_three_ways,
    "reparameterization": reparameterization,
    "gradient-estimators": gradients,
    "bound-estimators": estimators,
    "importance-weighted-bound": importance,
    "linear-vae": linear_vae_learns,
    "value-function": value_function.experiment,
    "optimal-discriminator": optimal_discriminator.experiment,
    "generator-criterion": generator_criterion.experiment,
    "generator-gradients": generator_gradients.experiment,
    "parallel-lines": parallel_lines.experiment,
    "lipschitz-critics": lipschitz_critics.experiment,
    "gradient-penalty": gradient_penalty.experiment,
    "spectral-norm": spectral_norm.experiment,
    "weight-clipping": clipping.experiment,
    "saturation": saturation.experiment,
    "mode-collapse": mode_collapse.experiment,
    "chain-rule": chain_rule,
    "exact-likelihood": exact_likelihood,
    "fixed-point-sampling": fixed_point,
}
"""By the name that `reparam-theory` takes, in the order of the page."""
