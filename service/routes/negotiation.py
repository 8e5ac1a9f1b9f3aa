"""Which of the types that a route can answer the caller likes best (RFC 9110, section 12.5.1)."""

import re
from collections.abc import Sequence
from functools import lru_cache

JSON, NPY, PNG, LINES = "application/json", "application/x-npy", "image/png", "application/x-ndjson"

_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.IGNORECASE)


def media_type(value: str) -> str:
    """A Content-Type without its parameters."""
    return value.partition(";")[0].strip().lower()


@lru_cache(maxsize=1024)
def best(accept: str, offered: tuple[str, ...]) -> str | None:
    """The offered type of the greatest weight, the first of equals; None if none is accepted."""
    weights = _weights(accept)
    weighed = {name: _weight_of(name, weights) for name in offered}
    liked = max(offered, key=lambda name: weighed[name])
    return liked if weighed[liked] > 0 else None


def listed(types: Sequence[str]) -> str:
    return " or ".join((", ".join(types[:-1]), types[-1])) if len(types) > 1 else types[0]


def _weights(accept: str) -> dict[str, float]:
    """By range: `image/png`, `image/*`, `*/*`; a range whose weight cannot be read is not accepted."""
    weights = {}
    for part in accept.split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((parameter for parameter in parameters if parameter[:2].lower() == "q="), "q=1")
        read = _WEIGHT.fullmatch(weight)
        weights[name.lower()] = float(read[1]) if read else 0.0
    return weights


def _weight_of(name: str, weights: dict[str, float]) -> float:
    """That of the most specific range."""
    ranges = (name, f"{name.partition('/')[0]}/*", "*/*")
    return next((weights[given] for given in ranges if given in weights), 0.0)
