"""A bundle computed by hand, without torch: 2x2 binary images with two latent numbers and constant weights."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from models import golden
from models.golden import Arrays, GoldenRows
from models.manifest import OPERATIONS, Calibration, Example, Golden, Manifest, Operation, OperationName
from models.provenance import Figure, Provenance
from models.repository import Repository, digests
from tests import tiny_graphs

DECODER = np.array([[2, -1, 0.5, 1], [-0.5, 1, 1.5, -2]])  # z to the logits of four pixels
PIXELS = np.array([0.5, -0.5, 0.25, -0.25])  # the logits at z = 0
ENCODER = np.array([[1, 0.5], [-0.5, 1], [0.25, -1], [-1, -0.25]])  # x to the mean of z
SPREAD = np.array([[0.5, -0.5], [-0.5, 0.25], [0.25, 0.5], [-0.25, -1]])  # x to the log variance of z
CRITIC = np.array([1, -1, 2, -0.5])
SHIFTS = np.array([0, 1.5])  # what a label adds to logits and to the mean of z

SHAPES = {
    **dict.fromkeys(("x", "mean", "pixel", "mask"), (2, 2)),
    **dict.fromkeys(("z", "epsilon", "encode.mean", "log_variance", "kl_per_dimension"), (2,)),
    **dict.fromkeys(("log_weight", "elbo", "reconstruction", "kl", "realness"), ()),
}
SCORE_OUTPUTS = ("log_weight", "elbo", "reconstruction", "kl")


def publish(
    root: Path,
    name: str = "tiny",
    version: int = 1,
    *,
    operations: Collection[OperationName] | None = None,
    conditional: bool = False,
    exact: bool = False,
    loops: bool = False,
    bias: float = 0.0,
) -> Path:
    """Publish below `root` and return the folder; what `operations` leaves out is absent.

    `conditional` lets all but complete and criticize take one of two labels; `exact` gives a score without noise, of
    the pixels at z = 0; `loops` makes a decoder that runs for ever on codes above 100; `bias` is added to every logit.
    """
    kept = OPERATIONS if operations is None else operations
    declared = {key: operation for key, operation in _operations(conditional, exact).items() if key in kept}
    rows = {key: golden_rows(key, conditional=conditional, exact=exact, bias=bias) for key in declared}
    sources = {"score.onnx": "exact"} if exact else {"decode.onnx": "looping"} if loops else {}
    files = {op.graph: _graph(sources.get(op.graph, op.graph), conditional, bias) for op in declared.values()}
    files |= {"golden.safetensors": golden.pack(rows), "card.md": f"# {name}\n".encode()}
    manifest = Manifest(
        name=name,
        version=version,
        family="by hand",
        title="Four pixels",
        x=Example(kind="image", support="binary", range=(0, 1)),
        labels=("plain", "shifted") if conditional else (),
        shapes=SHAPES,
        operations=declared,
        absent={key: "it was left out" for key in OPERATIONS if key not in declared},
        order=tuple(range(4)) if "complete" in declared else None,
        realness_kind="logit" if "criticize" in declared else None,
        golden=Golden(absolute=1e-5, relative=1e-5),
        calibration=Calibration(samples=16, quantiles=tuple(np.linspace(-6, -1, 101))) if "score" in declared else None,
        provenance=Provenance(
            recipe={"seed": 0},
            data="none",
            data_digest="0" * 64,
            figures={"elbo": Figure(value=-3.5, std_error=0.25, unit="nats", split="test", examples=16)},
            parameters=28,
            minutes=0,
            versions={},
            command="none",
        ),
        digests=digests(files),
    )
    return Repository(root).publish(manifest, files)


def logits(z: np.ndarray, label: int | np.ndarray = 0, bias: float = 0.0) -> np.ndarray:
    """Of codes (rows, [samples,] 2): (rows, [samples,] 2, 2)."""
    flat = z.astype(np.float64) @ DECODER + PIXELS + bias + _shift(label, z.ndim)
    return flat.reshape(*z.shape[:-1], 2, 2)


def posterior(x: np.ndarray, label: int | np.ndarray = 0) -> tuple[np.ndarray, np.ndarray]:
    """The mean and the log variance of z, each (rows, 2)."""
    flat = x.reshape(-1, 4).astype(np.float64)
    return flat @ ENCODER + _shift(label, 2), flat @ SPREAD


def log_prob(x: np.ndarray, logit: np.ndarray) -> np.ndarray:
    """Of independent Bernoulli pixels: x * logit - log(1 + exp(logit)), summed over the image."""
    return (x * logit - np.logaddexp(0, logit)).sum((-2, -1))


def score(x: np.ndarray, epsilon: np.ndarray, label: int | np.ndarray = 0, bias: float = 0.0) -> Arrays:
    """`log_weight`, `elbo`, `reconstruction` and `kl`, each (rows, samples)."""
    mean, log_variance = (part[:, None] for part in posterior(x, label))
    z = mean + np.exp(log_variance / 2) * epsilon
    reconstruction = log_prob(x[:, None], logits(z, label, bias))
    kl = (0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)).sum(-1) + np.zeros_like(reconstruction)
    log_ratio = 0.5 * (epsilon**2 + log_variance - z**2).sum(-1)  # of the prior to the posterior, at z
    terms = (reconstruction + log_ratio, reconstruction - kl, reconstruction, kl)
    return dict(zip(SCORE_OUTPUTS, terms, strict=True))


def log_weight(x: np.ndarray, epsilon: np.ndarray, label: int | np.ndarray = 0, bias: float = 0.0) -> np.ndarray:
    return score(x, epsilon, label, bias)["log_weight"]


def golden_rows(operation: OperationName, *, conditional: bool, exact: bool, bias: float) -> GoldenRows:
    """Three rows of an operation by the formulas above; no draw is within 0.01 of its threshold."""
    x = np.array([[[0, 1], [1, 0]], [[1, 1], [0, 0]], [[0, 0], [0, 1]]], np.float32)
    z = np.array([[0, 0], [1, -0.5], [-1.5, 2]], np.float32)
    pixel = np.resize(np.float32([9, -9, -9]), (3, 2, 2))
    epsilon = np.linspace(-1, 1, 12, dtype=np.float32).reshape(3, 2, 2)
    mask = np.resize(np.float32([1, 0]), (3, 2, 2))
    labels = {"label": np.array([0, 1, 0])} if conditional else {}
    label = labels.get("label", 0)
    logit = logits(z, label, bias)
    mean, log_variance = posterior(x, label)
    kl = 0.5 * (mean**2 + np.exp(log_variance) - 1 - log_variance)
    decoded = {"x": logit + pixel > 0, "mean": 1 / (1 + np.exp(-logit))}
    codes = {"z": mean + np.exp(log_variance / 2) * epsilon[:, 0]}
    codes |= {"mean": mean, "log_variance": log_variance, "kl_per_dimension": kl}
    at_zero = logits(np.zeros((3, 2)), label, bias)
    drawn = logits(np.zeros((3, 2)), 0, bias) + pixel > 0
    inputs, outputs = {
        "sample": ({"z": z, "pixel": pixel} | labels, decoded | {"z": z}),
        "encode": ({"x": x, "epsilon": epsilon[:, 0]} | labels, codes),
        "decode": ({"z": z, "pixel": pixel} | labels, decoded),
        "score": (
            ({"x": x} | labels, {"log_weight": log_prob(x, at_zero)[:, None]})
            if exact
            else ({"x": x, "epsilon": epsilon} | labels, score(x, epsilon, label, bias))
        ),
        "complete": ({"x": x, "mask": mask, "pixel": pixel}, {"x": mask * x + (1 - mask) * drawn}),
        "criticize": ({"x": x}, {"realness": x.reshape(3, 4) @ CRITIC + bias}),
    }[operation]
    return GoldenRows(inputs, {key: np.asarray(array, np.float32) for key, array in outputs.items()})


def _shift(label: int | np.ndarray, axes: int) -> np.ndarray:
    return SHIFTS[np.atleast_1d(label)].reshape(-1, *[1] * (axes - 1))


def _operations(conditional: bool, exact: bool) -> dict[OperationName, Operation]:
    z, pixel, epsilon = {"z": "normal"}, {"pixel": "logistic"}, {"epsilon": "normal"}
    codes = ("z", "mean", "log_variance", "kl_per_dimension")
    score = ({}, ("log_weight",)) if exact else (epsilon, SCORE_OUTPUTS)
    return {
        "sample": Operation(graph="decode.onnx", noise=z | pixel, outputs=("x", "mean", "z"), label=conditional),
        "encode": Operation(graph="encode.onnx", noise=epsilon, outputs=codes, label=conditional),
        "decode": Operation(graph="decode.onnx", noise=pixel, outputs=("x", "mean"), label=conditional),
        "score": Operation(graph="score.onnx", noise=score[0], outputs=score[1], label=conditional),
        "complete": Operation(graph="complete.onnx", noise=pixel, outputs=("x",)),
        "criticize": Operation(graph="criticize.onnx", outputs=("realness",)),
    }


def _graph(source: str, conditional: bool, bias: float) -> bytes:
    constants = {
        "decoder": DECODER,
        "pixels": PIXELS + bias,
        "encoder": ENCODER,
        "spread": SPREAD,
        "shifts": SHIFTS[:, None],
        "critic": CRITIC,
        "bias": np.array([bias]),
    }
    return tiny_graphs.build(source.removesuffix(".onnx"), constants, conditional=conditional)
