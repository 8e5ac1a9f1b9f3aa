"""What decides a draw."""

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Draw:
    """Row i depends on (seed, index + i), on the temperature and on its label."""

    seed: int
    index: int = 0
    temperature: float = 1.0
    label: int | Sequence[int] | None = None

    def of(self, rows: slice) -> "Draw":
        """That of some of the rows."""
        label = self.label[rows] if isinstance(self.label, Sequence) and len(self.label) > 1 else self.label
        return replace(self, index=self.index + rows.start, label=label)
