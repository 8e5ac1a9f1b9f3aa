"""Samples from the prior through an autoencoder and through a VAE of the same size, judged by the exact density."""

from training.report.plots import scatter
from training.theory import statistics
from training.theory.claim import Claim, Experiment
from training.theory.ring import OFF, REACH, data, judge, learn_ring, prior_samples

_SHOWN = 500


def experiment(rows: int = 10_000, epochs: int = 60) -> Experiment:
    """Both learn a ring whose density is known, and decode codes from N(0, I)."""
    truth = judge(data(rows, seed=4))
    coder = prior_samples(learn_ring("autoencoder", epochs), rows)
    vae = prior_samples(learn_ring("vae", epochs, warmup_steps=10 * epochs), rows)
    claims = (
        Claim(
            "The data's own points: share off the data, %",
            100 * OFF,
            100 * truth.off,
            100 * truth.off_error,
            tolerance=0.3,
        ),
        Claim(
            "Through the autoencoder at least a quarter of the prior's samples lie off the data, %",
            25,
            100 * coder.off,
            relation=">",
        ),
        Claim(
            "Through the VAE of the same size less than half as many do, %", 50 * coder.off, 100 * vae.off, relation="<"
        ),
        Claim(
            "log p(sample) under the data's own density, nats: the VAE's are above the autoencoder's by at least 1",
            1,
            statistics.difference(statistics.mean(vae.log_prob), statistics.mean(coder.log_prob)).value,
            relation=">",
        ),
        Claim(
            "And below the data's own by at most half of what the autoencoder's are, nats",
            0.5 * float(truth.log_prob.mean() - coder.log_prob.mean()),
            float(truth.log_prob.mean() - vae.log_prob.mean()),
            relation="<",
        ),
    )
    return Experiment(
        "Samples of the prior, through an autoencoder and a VAE",
        "Both learn the same ring with networks of one size. The autoencoder rebuilds it well, but its codes lie "
        "where they happen to lie, so that N(0, I) decodes to points between and beyond. The VAE's KL term has "
        f"brought the codes to N(0, I). A point is off the data where its density is below that of {1 - OFF:.0%} of "
        "the data's own points.",
        claims,
        tuple(
            scatter(
                {"data": truth.points[:_SHOWN], f"prior through the {name}": drawn.points[:_SHOWN]},
                name=f"prior-{name}",
                reach=REACH,
            )
            for name, drawn in (("autoencoder", coder), ("VAE", vae))
        ),
    )
