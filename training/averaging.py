"""The copy of a family that is validated and kept: some of its weights are averages over the steps."""

from copy import deepcopy

import torch
from torch.optim.swa_utils import get_ema_multi_avg_fn

from training.family import Family


class Averaged:
    """Follows `source`: its `averaged_part` as an exponential average of so much `decay`, all else as it is."""

    def __init__(self, source: Family, decay: float) -> None:
        self.family = deepcopy(source).eval().requires_grad_(False)
        self._source, self._decay = source, decay
        self._theirs, self._ours = (list(model.averaged_part().parameters()) for model in (source, self.family))

    def follow(self, step: int) -> None:
        """Take a step's weights in; the first steps are forgotten faster, for a short run has few others."""
        decay = min(self._decay, (1 + step) / (10 + step)) if step else 0.0
        get_ema_multi_avg_fn(decay)(self._ours, self._theirs, None)

    @torch.no_grad()
    def catch_up(self) -> None:
        """Copy what is not averaged."""
        averaged = {id(weight) for weight in self._theirs}
        ours, theirs = ([*model.parameters(), *model.buffers()] for model in (self.family, self._source))
        for kept, current in zip(ours, theirs, strict=True):
            if id(current) not in averaged:
                kept.copy_(current)
