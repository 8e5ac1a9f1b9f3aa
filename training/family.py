"""What a family of generative models must say: how it learns, what it can do, and its shapes."""

import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

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

    Two operations of one method share one graph; an output that is an input of the operation is left out of it. A
    method's last parameter may be `label`, an int64 a row, which is an input where `label` is true and else left out.
    """

    call: Callable[..., dict[str, Tensor]]
    noise: Mapping[str, NoiseKind] = {}
    fill: Mapping[str, float] = {}
    label: bool = False

    @property
    def inputs(self) -> tuple[str, ...]:
        """All inputs of the graph, in the method's order."""
        parameters = inspect.signature(self.call).parameters
        return tuple(name for name in parameters if name != "label" or self.label)


@dataclass(frozen=True)
class Turn:
    """One training step's place in the whole, and the optimisers it may use.

    Each of several processes takes its part of a batch; what a Turn gives is as if one alone took the whole.
    """

    step: int
    fabric: Fabric
    optimizers: Mapping[str, Optimizer]
    gradient_clip: float | None = None

    def normal(self, rows: int, *shape: int) -> Tensor:
        """Standard normal noise (rows, *shape) for this process's rows of the batch."""
        whole = torch.randn(self.fabric.world_size * rows, *shape, device=self.fabric.device)
        return whole[self.fabric.global_rank * rows :][:rows]

    def descend(self, name: str, loss: Tensor) -> None:
        """One step of the optimiser `name` down the gradient of `loss`, a mean over the rows."""
        optimizer = self.optimizers[name]
        parameters = [weight for group in optimizer.param_groups for weight in group["params"] if weight.requires_grad]
        optimizer.zero_grad(set_to_none=True)
        self.fabric.backward(loss, inputs=parameters)
        if self.fabric.world_size > 1:
            self._average([weight.grad for weight in parameters if weight.grad is not None])
        if self.gradient_clip is not None:
            nn.utils.clip_grad_norm_(parameters, self.gradient_clip)
        optimizer.step()

    def _average(self, gradients: list[Tensor]) -> None:
        """Over the processes, in one message."""
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        averaged = self.fabric.all_reduce(flat, reduce_op="mean")
        for gradient, part in zip(gradients, averaged.split([gradient.numel() for gradient in gradients]), strict=True):
            gradient.copy_(part.view_as(gradient))


def adamw(
    module: nn.Module, learning_rate: float, weight_decay: float, betas: tuple[float, float] = (0.9, 0.999)
) -> Optimizer:
    """Over all parameters of the module, of which only matrices decay (Loshchilov and Hutter 2019)."""
    matrices = [parameter for parameter in module.parameters() if parameter.dim() > 1]
    others = [parameter for parameter in module.parameters() if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=learning_rate, betas=betas, fused=True)


def one_hot(label: Tensor, classes: int) -> Tensor:
    """(rows, classes) of 0 and 1."""
    return (label.unsqueeze(-1) == torch.arange(classes, device=label.device)).float()


class Family(nn.Module, ABC):
    """A kind of generative model over x of one shape, given one of `classes` labels if it is `conditional`.

    `Options` are the keys of a recipe's [model]; `absent` tells for each operation that it lacks why, in the model's
    own terms, and `realness_kind` what `criticize` answers. Without labels, `classes` is 0.
    """

    Options: ClassVar[type[Frozen]]
    absent: Mapping[OperationName, str]
    realness_kind: Literal["logit", "critic"] | None = None
    conditional: ClassVar[bool] = False

    def __init__(self, options: Any, example: Example, shape: Shape, classes: int = 0) -> None:
        super().__init__()
        self.options = options
        self.example = example
        self.shape = shape
        self.classes = classes

    def optimizers(self, learning_rate: float, weight_decay: float) -> dict[str, Optimizer]:
        """The optimisers by name; one over all parameters unless a family says otherwise."""
        return {"all": adamw(self, learning_rate, weight_decay)}

    def averaged_part(self) -> nn.Module:
        """What is validated and kept with weights averaged over the steps; of all else the last are."""
        return self

    def frame(self) -> Tensor | None:
        """What a filmstrip of the training shows of each time, (rows, *shape), if there is anything to see."""
        return None

    def standardize(self, center: Tensor, spread: Tensor) -> None:
        """Take real data in these units, (D,) each: every part that asks for a center and a spread gets them."""
        for part in self.modules():
            if hasattr(part, "center") and hasattr(part, "spread"):
                part.center.copy_(center)
                part.spread.copy_(spread)

    @abstractmethod
    def train_step(self, x: Tensor, label: Tensor | None, turn: Turn) -> dict[str, Tensor]:
        """Learn from one batch; the scalars to show."""

    @abstractmethod
    def validation_loss(self, x: Tensor, label: Tensor | None) -> Tensor | None:
        """What early stopping watches, one value a row, in nats; None where nothing tells which epoch is the best."""

    @abstractmethod
    def operations(self) -> dict[OperationName, Function]:
        """What it can do."""

    @abstractmethod
    def shapes(self) -> dict[str, Shape]:
        """The shape of every tensor of its graphs, without the batch and samples axes."""
