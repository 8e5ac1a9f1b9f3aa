"""V(D, G) is minus twice a mean binary cross-entropy."""

import math

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from training.families.gan import GAN
from training.networks.mlp import Hidden
from training.report.plots import functions
from training.theory.claim import Claim, Experiment
from training.theory.players import LINEAR, player, set_critic, turn

_ROUNDING = 1e-5  # of a mean in float32


def experiment(rows: int = 2000) -> Experiment:
    """Of `rows` data from N(0, 1) and as many samples from N(1, 1), and a discriminator of random weights."""
    gan = player(GAN, [1.0], critic=Hidden(widths=(16, 16), activation="tanh"), objective="minimax")
    real = torch.randn(rows, 1)
    fake = gan.generate(torch.randn(rows, 1))["x"].detach()
    on_data, on_samples = gan.value(real, None), gan.value(fake, None)
    v = on_data.sigmoid().log().mean() + (1 - on_samples.sigmoid()).log().mean()
    labels = torch.cat([torch.ones(rows), torch.zeros(rows)])
    cross_entropy = binary_cross_entropy_with_logits(torch.cat([on_data, on_samples]), labels)
    loss, estimate = gan.critic_loss(real, fake, None, turn())
    left_over = on_data.sigmoid().log().mean() + gan.generator_loss(on_samples)
    always, measured = _of_constants(real, fake)
    claims = (
        Claim(
            "the loss that the discriminator descends on is -V(D, G) = -E log D(x) - E log(1 - D(G(z))), in nats",
            -v.item(),
            loss.item(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "V is minus twice the mean binary cross-entropy of data labelled 1 and samples labelled 0",
            -2 * cross_entropy.item(),
            -loss.item(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "so a step down that cross-entropy is a step up V: their slopes in D's weights, times -2, differ by",
            0.0,
            _apart(_slopes(gan, -loss), -2 * _slopes(gan, cross_entropy)),
            tolerance=_ROUNDING,
        ),
        Claim(
            "the minimax generator descends on V itself: E log D(x), which it cannot change, and its loss add up to V",
            v.item(),
            left_over.item(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "the estimate that a GAN shows is V / 2 + log 2",
            v.item() / 2 + math.log(2),
            estimate.item(),
            tolerance=_ROUNDING,
        ),
        Claim(
            "a discriminator that always says 1/2 has V = -log 4",
            -math.log(4),
            measured[len(always) // 2],
            tolerance=_ROUNDING,
        ),
        Claim(
            "of those that always say the same none has more",
            -math.log(4),
            max(measured),
            relation="<",
            tolerance=_ROUNDING,
        ),
    )
    figure = functions(
        {"log D + log(1 - D)": (always, np.log(always) + np.log(1 - always))},
        {"minus the GAN's loss": (always, np.array(measured))},
        across="what the discriminator always answers, D",
        up="V, nats",
        name="value-function",
    )
    told = (
        "The value function of the game is the log-likelihood of a classifier that tells data from samples. Its "
        "discriminator is therefore trained like any classifier, and a generator that cannot be told from the data "
        "leaves it nothing better than to say 1/2."
    )
    return Experiment("The value of the game is a cross-entropy", told, claims, (figure,))


def _slopes(gan: GAN, of: Tensor) -> Tensor:
    """In all of the discriminator's weights, flat."""
    return torch.cat([slope.flatten() for slope in torch.autograd.grad(of, gan.critic.parameters(), retain_graph=True)])


def _apart(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().max().item()


@torch.no_grad()
def _of_constants(real: Tensor, fake: Tensor) -> tuple[np.ndarray, list[float]]:
    """Answers of discriminators that see nothing, and the V of each."""
    gan, always, measured = player(GAN, [1.0], critic=LINEAR), np.linspace(0.05, 0.95, 19), []
    for answer in always:
        set_critic(gan, [0.0], math.log(answer / (1 - answer)))
        measured.append(-gan.critic_loss(real, fake, None, turn())[0].item())
    return always, measured
