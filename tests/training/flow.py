"""A normalizing flow (Dinh et al. 2017): real x as an invertible map of normal noise, so that p(x) is exact."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from models.manifest import Example, OperationName
from training.family import Family, Function, Shape, Turn
from training.priors import RealNVP, RealNVPOptions


class Flow(Family):
    """Minimises -log p(x), in nats."""

    Options = RealNVPOptions
    absent: Mapping[OperationName, str] = {
        "encode": "a flow's code is as large as x, so it is kept within",
        "decode": "a flow's code is as large as x, so it is kept within",
        "complete": "a flow changes all of x at once",
        "criticize": "a flow has no discriminator",
    }

    def __init__(self, options: RealNVPOptions, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__(options, example, shape, classes)
        self.center: Tensor
        self.spread: Tensor
        self.register_buffer("center", torch.zeros(math.prod(shape)))
        self.register_buffer("spread", torch.ones(math.prod(shape)))
        self.couplings = RealNVP(options, math.prod(shape), 0)

    def train_step(self, x: Tensor, label: Tensor | None, turn: Turn) -> dict[str, Tensor]:
        loss = self.validation_loss(x, label).mean()
        turn.descend("all", loss)
        return {"loss": loss}

    def validation_loss(self, x: Tensor, label: Tensor | None) -> Tensor:
        return -self.score(x)["log_weight"].squeeze(1)

    def sample(self, base: Tensor) -> dict[str, Tensor]:
        """x of normal noise (batch, D)."""
        return {"x": (self.center + self.spread * self.couplings.transform(base, None)).unflatten(1, self.shape)}

    def score(self, x: Tensor) -> dict[str, Tensor]:
        """log p(x), (batch, 1), in nats."""
        units = (x.flatten(1) - self.center) / self.spread
        return {"log_weight": (self.couplings.log_prob(units, None) - self.spread.log().sum()).unsqueeze(1)}

    def operations(self) -> dict[OperationName, Function]:
        return {"sample": Function(self.sample, {"base": "normal"}), "score": Function(self.score)}

    def shapes(self) -> dict[str, Shape]:
        return {"x": self.shape, "base": (math.prod(self.shape),), "log_weight": ()}
