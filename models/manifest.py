"""What a manifest says: operations, tensors, and where a model came from."""

from collections.abc import Iterator
from math import prod
from typing import Annotated, Literal, NamedTuple, get_args

from pydantic import Field, model_validator

from models.fields import FileName, Frozen, Name, Sha256, ShapeName, Size, TensorName, Version
from models.noise import NoiseKind
from models.provenance import Provenance
from models.sizes import excesses

OperationName = Literal["sample", "encode", "decode", "score", "complete", "criticize"]


class Signature(NamedTuple):
    """The data that an operation takes and the least that comes out; the manifest adds noise and further outputs."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


SIGNATURES: dict[OperationName, Signature] = {
    "sample": Signature((), ("x",)),
    "encode": Signature(("x",), ("z",)),
    "decode": Signature(("z",), ("x",)),
    "score": Signature(("x",), ("log_weight",)),
    "complete": Signature(("x", "mask"), ("x",)),
    "criticize": Signature(("x",), ("realness",)),
}
OPERATIONS: tuple[OperationName, ...] = get_args(OperationName)

# In `score`, noise and outputs carry a samples axis behind the batch axis.
SAMPLED: frozenset[OperationName] = frozenset({"score"})

# ONNX names a value once: an output that bears an input's name (`complete` takes x and gives x) leaves as `x_out`.
OUTPUT_SUFFIX = "_out"


class Example(Frozen):
    """What one x is. `binary` takes 0 and 1, `levels` the whole numbers of the range, `real` any value in it."""

    kind: Literal["image", "vector"]
    support: Literal["binary", "levels", "real"]
    range: tuple[float, float] | None = None

    @model_validator(mode="after")
    def _range_fits_support(self) -> "Example":
        if self.range is None:
            if self.support != "real":
                raise ValueError(f"support {self.support} needs a range")
        elif self.range[0] >= self.range[1]:
            raise ValueError("a range goes from its lower to its higher end")
        elif self.support == "binary" and self.range != (0, 1):
            raise ValueError("support binary has the range 0 to 1")
        elif self.support == "levels" and any(end != int(end) for end in self.range):
            raise ValueError("levels are whole numbers, and so are the ends of their range")
        return self


class Operation(Frozen):
    """One graph file as an operation.

    `noise` names its random inputs and their kinds, `fill` its constant inputs; `label` says that it takes a label.
    """

    graph: FileName
    noise: dict[TensorName, NoiseKind] = {}
    outputs: tuple[TensorName, ...]
    fill: dict[TensorName, float] = {}
    label: bool = False


class File(Frozen):
    """The digest and the size in bytes of one file."""

    sha256: Sha256
    bytes: Annotated[int, Field(ge=0)]


class Golden(Frozen):
    """A file of inputs and the outputs that PyTorch computed; |served - computed| <= absolute + relative |computed|."""

    file: FileName = "golden.safetensors"
    absolute: float
    relative: float


class Calibration(Frozen):
    """Quantiles 0, 1, ..., 100 % of `importance_weighted_bound` over the validation split, with `samples` samples."""

    samples: Size
    quantiles: Annotated[tuple[float, ...], Field(min_length=101, max_length=101)]


class Manifest(Frozen):
    """The whole of `manifest.json`.

    `shapes` says each tensor's shape once, without the batch axis; a tensor that means another thing in one operation
    stands there as `operation.tensor` (`encode.mean` is the mean of z, `mean` that of x).
    """

    format: Literal[1] = 1
    name: Name
    version: Version
    family: str
    title: str
    x: Example
    labels: tuple[str, ...] = ()
    shapes: dict[ShapeName, tuple[Size, ...]]
    operations: dict[OperationName, Operation]
    absent: dict[OperationName, str]
    order: tuple[int, ...] | None = None
    realness_kind: Literal["logit", "critic"] | None = None
    golden: Golden
    calibration: Calibration | None = None
    provenance: Provenance
    digests: dict[FileName, File]

    @model_validator(mode="after")
    def _is_consistent(self) -> "Manifest":
        for complaint in _complaints(self):
            raise ValueError(complaint)
        return self

    @property
    def graphs(self) -> tuple[str, ...]:
        """The graph files, each once."""
        return tuple(dict.fromkeys(operation.graph for operation in self.operations.values()))

    def inputs(self, name: OperationName) -> tuple[str, ...]:
        """The data inputs of an operation; neither noise nor fill."""
        label = ("label",) if self.operations[name].label else ()
        return SIGNATURES[name].inputs + label

    def shape(self, name: OperationName, tensor: str) -> tuple[int, ...]:
        """The shape of a tensor in an operation, without the batch and samples axes; a label has none."""
        if tensor == "label":
            return ()
        own = f"{name}.{tensor}"
        return self.shapes[own if own in self.shapes else tensor]


def _complaints(manifest: Manifest) -> Iterator[str]:
    """What the parts of a manifest say against each other."""
    if "x" not in manifest.shapes:
        yield "no shape is given for x"
        return
    yield from excesses(manifest.shapes, {name: file.bytes for name, file in manifest.digests.items()})
    present, absent = set(manifest.operations), set(manifest.absent)
    if not present:
        yield "a model without any operation"
    if present & absent or present | absent != set(OPERATIONS):
        yield "each operation is either present or absent with a reason"
    for name, operation in manifest.operations.items():
        yield from (f"{name} lacks the output {output}" for output in _lacking(name, operation))
        tensors = sorted({*SIGNATURES[name].inputs, *operation.noise, *operation.outputs, *operation.fill})
        shapes = manifest.shapes
        yield from (f"no shape is given for {t} of {name}" for t in tensors if not {t, f"{name}.{t}"} & set(shapes))
        if operation.label and not manifest.labels:
            yield f"{name} takes a label, but no labels are named"
    if manifest.order is not None and not _is_permutation(manifest.order, prod(manifest.shapes["x"])):
        yield "order is not a permutation of the values of x"
    if ("criticize" in present) != (manifest.realness_kind is not None):
        yield "realness_kind goes with criticize"
    if {"sample", "decode"} <= present and "z" not in manifest.operations["sample"].outputs:
        yield "sample gives z where the model can decode"
    if "score" not in present and manifest.calibration is not None:
        yield "calibration goes with score"
    files = {*manifest.graphs, manifest.golden.file}
    yield from (f"no digest is given for {file}" for file in sorted(files - set(manifest.digests)))


def _is_permutation(order: tuple[int, ...], size: int) -> bool:
    return len(order) == size and sorted(order) == list(range(size))


def _lacking(name: OperationName, operation: Operation) -> list[str]:
    return [output for output in SIGNATURES[name].outputs if output not in operation.outputs]
