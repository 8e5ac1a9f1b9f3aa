"""The generative adversarial network (Goodfellow et al. 2014): a discriminator's logit tells data from samples."""

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

from training.adversarial import Adversarial, AdversarialOptions
from training.family import Turn


class GANOptions(AdversarialOptions):
    """What the generator descends on, and how hard the discriminator's slope at the data is pressed down.

    `r1` weighs half the square of that slope (Mescheder et al. 2018), taken every `r1_every` steps and then as much
    the more (Karras et al. 2020).
    """

    objective: Literal["minimax", "non_saturating"] = "non_saturating"
    r1: Annotated[float, Field(ge=0)] = 0.0
    r1_every: Annotated[int, Field(ge=1)] = 1


class GAN(Adversarial):
    """V(D, G) = E log D(x) + E log(1 - D(G(z))), with D the sigmoid of the critic; all in nats.

    The discriminator ascends on V, which is minus its binary cross-entropies, and the minimax generator descends on it;
    the non-saturating one descends on -E log D(G(z)). The estimate is V / 2 + log 2, at most the Jensen-Shannon
    divergence, which the best D reaches.
    """

    Options = GANOptions
    realness_kind = "logit"
    absent: ClassVar = {
        "encode": "a GAN has no encoder; nothing tells which code an x would come from",
        "score": "a GAN has no density of x; it learns to draw, and nothing else",
        "complete": "a GAN makes all of x at once, so it cannot go on from a part",
    }

    def critic_loss(self, real: Tensor, fake: Tensor, condition: Tensor | None, turn: Turn) -> tuple[Tensor, Tensor]:
        loss = softplus(-self.value(real, condition)).mean() + softplus(self.value(fake, condition)).mean()
        estimate = math.log(2) - loss.detach() / 2
        if self.options.r1 and turn.step % self.options.r1_every == 0:
            slope = self.slopes(real, condition).square().sum(1).mean()
            loss = loss + 0.5 * self.options.r1 * self.options.r1_every * slope
        return loss, estimate

    def generator_loss(self, value: Tensor) -> Tensor:
        return (softplus(-value) if self.options.objective == "non_saturating" else -softplus(value)).mean()
