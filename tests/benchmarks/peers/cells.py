"""What is asked of every server: so many rows of one bundle by one verb, over so many connections."""

from typing import Literal, NamedTuple

Verb = Literal["sample", "score"]


class Cell(NamedTuple):
    """`rows` is n of a sample, or how many images a score is of; `samples` is the score's K."""

    bundle: str
    verb: Verb
    rows: int
    connections: int
    binary: bool = False
    samples: int = 1

    @property
    def title(self) -> str:
        many = f"{self.rows} images, K = {self.samples}" if self.verb == "score" else f"n = {self.rows:,}"
        callers = f"{self.connections} connection{'s' * (self.connections > 1)}"
        return f"{self.bundle}: {self.verb}, {many}, {'binary' if self.binary else 'JSON'}, {callers}"


VAE, AUTOREGRESSIVE = "vae-mnist", "ar-mnist"
FIRST = Cell(VAE, "sample", 1, 1)
LARGE = Cell(VAE, "sample", 1024, 8, binary=True)
MANY_SAMPLES = Cell(VAE, "score", 16, 8, samples=64)
DRAWN = (Cell(AUTOREGRESSIVE, "sample", 1, 1), Cell(AUTOREGRESSIVE, "sample", 16, 1))
CELLS = (
    FIRST,
    Cell(VAE, "sample", 1, 8),
    Cell(VAE, "sample", 1, 64),
    Cell(VAE, "sample", 64, 8),
    Cell(VAE, "sample", 64, 8, binary=True),
    LARGE,
    Cell(VAE, "score", 16, 8),
    Cell(VAE, "score", 16, 64),
    MANY_SAMPLES,
    *DRAWN,
)
