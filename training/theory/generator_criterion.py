"""C(G), which is V against the best discriminator, is -log 4 and twice the Jensen-Shannon divergence."""

import math

import numpy as np
from torch import Tensor

from training.families.gan import GAN
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.divergences import jensen_shannon, normal
from training.theory.players import LINEAR, normals, player, set_critic, turn

_SHIFTS = (0.0, 0.5, 1.0, 2.0, 8.0)
_QUADRATURE = 5e-5  # nats that means over quantiles may lie off integrals
_STEP = 1e-3


def experiment(rows: int = 100_000) -> Experiment:
    """Generators G(z) = z + shift of normal z, for data from N(0, 1), each stood for by so many quantiles."""
    z = normals(rows)
    path = np.linspace(-4, 4, 33)
    reached = [_criterion(z, shift)[0] for shift in path]
    known = [-math.log(4) + 2 * jensen_shannon(normal(), normal(shift)) for shift in path]
    claims = [
        Claim(
            f"C(G) of the generator of N({shift:g}, 1), for data from N(0, 1), is -log 4 + 2 JSD, in nats",
            -math.log(4) + 2 * jensen_shannon(normal(), normal(shift)),
            _criterion(z, shift)[0],
            tolerance=_QUADRATURE,
        )
        for shift in _SHIFTS
    ]
    around = [_disturbed(z, 1.0, change) for change in ((0.2, 0), (-0.2, 0), (0, 0.2), (0, -0.2))]
    slope = (jensen_shannon(normal(), normal(1 + _STEP)) - jensen_shannon(normal(), normal(1 - _STEP))) / _STEP
    claims += [
        Claim(
            "discriminators near the best one reach less than C(G), here of N(1, 1)",
            _criterion(z, 1.0)[0],
            max(around),
            relation="<",
        ),
        Claim("C is least where the samples are as the data: among 33 shifts at", 0.0, path[int(np.argmin(reached))]),
        Claim("there it is -log 4", -math.log(4), min(reached), tolerance=_QUADRATURE),
        Claim(
            "there the slope of the minimax loss in the generator's shift is",
            0.0,
            _criterion(z, 0.0)[1],
            tolerance=1e-6,
        ),
        Claim(
            "at N(1, 1) it is the slope of 2 JSD: the generator descends on the divergence",
            slope,
            _criterion(z, 1.0)[1],
            tolerance=_QUADRATURE,
        ),
    ]
    figure = functions(
        {"-log 4 + 2 JSD": (path, np.array(known))},
        {"V against the best D": (path, np.array(reached))},
        across="shift of the generator's normal from that of the data",
        up="C(G), nats",
        name="generator-criterion",
    )
    told = (
        "Against the best discriminator the generator's criterion is a divergence between data and samples. It is "
        "least, -log 4, where both are the same, and levels off at 0 where they hardly overlap: from there on its "
        "slope tells the generator nothing."
    )
    return Experiment("What the generator descends on is the Jensen-Shannon divergence", told, tuple(claims), (figure,))


def _criterion(z: Tensor, shift: float) -> tuple[float, float]:
    """V of the best discriminator, whose logit log p(x) - log q(x) is linear; its slope in the generator's shift."""
    gan = _with_discriminator(shift, -shift, shift**2 / 2)
    value = -gan.critic_loss(z, gan.generate(z)["x"].detach(), None, turn())[0].item()
    gan.generator_loss(gan.value(gan.generate(z)["x"], None)).backward()
    return value, gan.generator[-1].bias.grad.item()


def _disturbed(z: Tensor, shift: float, change: tuple[float, float]) -> float:
    gan = _with_discriminator(shift, -shift + change[0], shift**2 / 2 + change[1])
    return -gan.critic_loss(z, gan.generate(z)["x"].detach(), None, turn())[0].item()


def _with_discriminator(shift: float, slope: float, offset: float) -> GAN:
    gan = player(GAN, [shift], critic=LINEAR, objective="minimax")
    set_critic(gan, [slope], offset)
    return gan
