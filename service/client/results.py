"""What the verbs answer: arrays with a row each, and how to have the same answer again."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from service.client.arrays import Floats

Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Answer:
    """The model that answered, in which version, and the seed that it drew from, beginning at row `index`."""

    model: str
    version: int
    digest: str
    seed: int
    index: int


@dataclass(frozen=True, eq=False, kw_only=True)
class Examples(Answer):
    """`x`, its code `z` where there is one, and `mean`, the expectation of x, if asked for.

    `reasons` says of each row why it has values that are not finite; empty if none has any, or if npy came.
    `conditioning` is that of `complete`: `exact` where the kept values come first in the model's order, else `causal`.
    """

    x: Floats | None = None
    z: Floats | None = None
    mean: Floats | None = None
    conditioning: str | None = None
    reasons: tuple[str | None, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Codes(Answer):
    """`mean` and `log_variance` are the posterior's; `kl_per_dimension` is in nats."""

    z: Floats | None = None
    mean: Floats | None = None
    log_variance: Floats | None = None
    kl_per_dimension: Floats | None = None
    reasons: tuple[str | None, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Realness(Answer):
    """`realness_kind` is `logit` for a discriminator, `critic` for a value that carries an unknown constant."""

    realness: Floats
    realness_kind: str
    reasons: tuple[str | None, ...] = ()


@dataclass(frozen=True, eq=False, kw_only=True)
class Scores(Answer):
    """A value a row, NaN where one is not known or not finite; `reasons` says of each row why it is not finite."""

    kind: str
    unit: str
    samples: int
    elbo: Doubles
    elbo_std_error: Doubles
    importance_weighted_bound: Doubles
    importance_weighted_bound_std_error: Doubles
    effective_sample_size: Doubles
    reliable: NDArray[np.bool_]
    bits_per_dim: Doubles
    percentile: Doubles
    terms: Mapping[str, Doubles]
    reasons: tuple[str | None, ...]


@dataclass(frozen=True, eq=False, kw_only=True)
class Row:
    """One line of a stream; `index` is its place in the seed's stream."""

    index: int
    x: Floats | None = None
    z: Floats | None = None
    mean: Floats | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ModelState:
    """One version of one model, and why it does not serve if it does not."""

    name: str
    version: str
    state: str
    reason: str
    operations: tuple[str, ...]
    title: str


@dataclass(frozen=True, eq=False)
class Model:
    """What a served model is; `x` says what an example is, `shapes` have no batch axis."""

    name: str
    version: int
    versions: tuple[str, ...]
    digest: str
    provider: str
    family: str
    title: str
    x: Mapping[str, Any]
    shapes: Mapping[str, list[int]]
    labels: tuple[str, ...]
    operations: tuple[str, ...]
    absent: Mapping[str, str]
    figures: Mapping[str, Any]
    provenance: Mapping[str, Any]
