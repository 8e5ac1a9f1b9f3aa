"""What a family of generative models must say: how it learns, what it can do, and its shapes."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import torch
from lightning_fabric import Fabric
from torch import Tensor, nn
from torch.optim import Optimizer

from models.fields import Frozen
from models.manifest import Example, OperationName
from models.noise import NoiseKind

Shape = tuple[int, ...]


class Function(NamedTuple):
    """A method as an operation: its parameters are the graph's inputs, the keys that it returns the outputs.

    Two operations of one method share one graph; an output that is an input of the operation is left out of it.
    """

    call: Callable[..., dict[str, Tensor]]
    noise: Mapping[str, NoiseKind] = {}
    fill: Mapping[str, float] = {}


@dataclass(frozen=True)
class Turn:
    """One training step's place in the whole, and the optimisers it may use."""

    step: int
    fabric: Fabric
    optimizers: Mapping[str, Optimizer]
    gradient_clip: float | None = None

    def descend(self, name: str, loss: Tensor) -> None:
        """One step of the optimiser `name` down the gradient of `loss`."""
        optimizer = self.optimizers[name]
        optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss)
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(
                [p for group in optimizer.param_groups for p in group["params"]], self.gradient_clip
            )
        optimizer.step()


class Family(nn.Module, ABC):
    """A kind of generative model over x of one shape.

    `Options` are the keys of a recipe's [model]; `absent` tells for each operation that it lacks why, in the model's
    own terms.
    """

    Options: ClassVar[type[Frozen]]
    absent: ClassVar[Mapping[OperationName, str]]

    def __init__(self, options: Any, example: Example, shape: Shape) -> None:
        super().__init__()
        self.options = options
        self.example = example
        self.shape = shape

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, Optimizer]:
        """The optimisers by name; one over all parameters unless a family says otherwise. Only matrices decay."""
        matrices = [parameter for parameter in self.parameters() if parameter.dim() > 1]
        others = [parameter for parameter in self.parameters() if parameter.dim() <= 1]
        groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
        return {"all": torch.optim.AdamW(groups, lr=learning_rate)}

    def standardize(self, center: Tensor, spread: Tensor) -> None:
        """Take real data in these units, (D,) each: every part that asks for a center and a spread gets them."""
        for part in self.modules():
            if hasattr(part, "center") and hasattr(part, "spread"):
                part.center.copy_(center)
                part.spread.copy_(spread)

    @abstractmethod
    def train_step(self, x: Tensor, turn: Turn) -> dict[str, Tensor]:
        """Learn from one batch; the scalars to show, first among them what is minimised."""

    @abstractmethod
    def validation_loss(self, x: Tensor) -> Tensor:
        """What early stopping watches, one value a row, in nats."""

    @abstractmethod
    def operations(self) -> dict[OperationName, Function]:
        """What it can do."""

    @abstractmethod
    def shapes(self) -> dict[str, Shape]:
        """The shape of every tensor of its graphs, without the batch and samples axes."""
