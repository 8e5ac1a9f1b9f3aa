"""Each experiment at a size that a test can wait for."""

from training.theory import EXPERIMENTS

SMALL = {
    "autoencoder-objective": {"rows": 1000, "epochs": 60},
    "prior-samples": {"rows": 3000, "epochs": 40},
    "dropped-kl": {"rows": 3000, "epochs": 15},
    "bound-decomposition": {"rows": 20},
    "bound-terms": {"rows": 30, "betas": (0.1, 1.0, 10.0)},
    "gaussian-kl": {"draws": 20_000},
    "reparameterization": {"draws": 20_000},
    "gradient-estimators": {"draws": 20_000},
    "bound-estimators": {"draws": 20_000},
    "importance-weighted-bound": {"repeats": 1000},
    "linear-vae": {"rows": 1000, "epochs": 30},
    "chain-rule": {"shape": (3, 3)},
    "exact-likelihood": {"epochs": 15, "repeats": 2},
    "fixed-point-sampling": {"draws": 20, "epochs": 10, "counted": 5000},
}


def measure(name, **size):
    return EXPERIMENTS[name](**SMALL[name] | size)


def failing(experiment):
    """What does not hold, as it is stated."""
    return [claim.statement for claim in experiment.claims if not claim.holds]
