"""Ancestral sampling as a fixed point: exact draws in far fewer evaluations than there are dimensions."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch._higher_order_ops import while_loop

Part = tuple[Tensor, Tensor, Tensor]
State = tuple[Tensor, Tensor, Tensor, Tensor]


def sample(draw: Callable[[Tensor, Tensor, Tensor], Part], parts: int, start: Tensor, memory: Tensor) -> Tensor:
    """x (batch, D), each dimension drawn given all before it.

    `draw` takes x, which of the `parts` each row of the batch is at, (batch,), and the memory; it gives for every
    dimension what is drawn given x, where that is to be taken, (batch, D), and the memory anew. Else x is `start`.

    A part is drawn from itself until nothing changes. Its first dimension is right after one such step, the second
    after two: the one fixed point is what going dimension by dimension gives for the same noise, in D + parts steps at
    most (Wiggers and Hoogeboom 2020; Song et al. 2021). Each row goes on to its next part as soon as it can.
    """
    most = start.shape[1] + parts

    def unfinished(steps: Tensor, x: Tensor, part: Tensor, memory: Tensor) -> Tensor:
        return ((part < parts).sum() > 0) & (steps < most)

    def step(steps: Tensor, x: Tensor, part: Tensor, memory: Tensor) -> State:
        drawn, taken, memory = draw(x, part.clamp(max=parts - 1), memory)
        drawn = torch.where(taken, drawn, x)
        return steps + 1, drawn, part + (drawn == x).all(1), memory

    part = torch.zeros(start.shape[0], dtype=torch.int64, device=start.device)
    state: State = (part.new_zeros(()), start, part, memory)
    if torch.compiler.is_exporting():  # one Loop in the graph
        return while_loop(unfinished, step, state)[1]
    while unfinished(*state):
        state = step(*state)
    return state[1]
