"""A bundle in service: sample, encode, decode, reconstruct, interpolate, score ... from the manifest alone."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.manifest import OPERATIONS, Manifest, Operation, OperationName
from models.noise import Stretch
from service import inputs, trace
from service.batching import Batcher
from service.draw import Draw
from service.errors import CapabilityNotSupported, InvalidInput
from service.graph import Arrays
from service.jobs import Job, Noise
from service.loading import fill
from service.pieces import Piece, Whole, cut
from service.settings import Settings

Floats = NDArray[np.float32]
Names = Sequence[str] | None  # outputs that are wanted; None: all

_LARGE = 2**20  # bytes of a tensor that is looked at in a thread


@dataclass(frozen=True)
class Code:
    """One end of a path: an example to encode, a code as it is, or the code of the sample (seed, index)."""

    x: Floats | None = None
    z: Floats | None = None
    seed: int = 0
    index: int = 0


class ServedModel:
    """Each verb takes arrays with the batch axis first and answers arrays by output name."""

    def __init__(
        self,
        manifest: Manifest,
        digest: str,
        preview: bytes | None,
        batchers: Mapping[str, Batcher],
        settings: Settings,
    ) -> None:
        self.manifest = manifest
        self.digest = digest
        self.preview = preview
        self._batchers = batchers
        self.settings = settings

    @property
    def is_busy(self) -> bool:
        return any(batcher.is_busy for batcher in self._batchers.values())

    def outputs(self, name: OperationName) -> tuple[str, ...]:
        """What the operation answers; CapabilityNotSupported if the model lacks it. A decoded code is answered too."""
        outputs = self._operation(name).outputs
        return (*outputs, "z") if name == "decode" else outputs

    def rows_of_a_run(self, name: OperationName, samples: int = 1) -> int:
        """How many rows with so many samples fill a run; CapabilityNotSupported if the model lacks the operation."""
        operation = self._operation(name)
        return max(1, self._batchers[operation.graph].shared_rows // (samples if operation.noise else 1))

    async def sample(self, rows: int, draw: Draw, outputs: Names = None) -> Arrays:
        return await self._run("sample", rows, {}, draw, outputs=outputs)

    async def encode(self, x: Floats, draw: Draw, outputs: Names = None) -> Arrays:
        return await self._run("encode", len(x), {"x": x}, draw, outputs=outputs)

    async def decode(self, z: Floats, draw: Draw, outputs: Names = None) -> Arrays:
        return {**await self._run("decode", len(z), {"z": z}, draw, outputs=outputs), "z": z}

    async def reconstruct(self, x: Floats, draw: Draw, outputs: Names = None) -> Arrays:
        self.check_rows("decode", len(x))
        return await self.decode((await self.encode(x, draw, ["z"]))["z"].astype(np.float32), draw, outputs)

    async def complete(self, x: Floats, mask: Floats, draw: Draw, outputs: Names = None) -> Arrays:
        return await self._run("complete", len(x), {"x": x, "mask": mask}, draw, outputs=outputs)

    async def criticize(self, x: Floats, draw: Draw) -> Arrays:
        return await self._run("criticize", len(x), {"x": x}, draw)

    async def infer(
        self, name: OperationName, rows: int, given: dict[str, Any], draw: Draw, samples: range | None = None
    ) -> Arrays:
        """Any operation as it is; noise that is given is not drawn, and keeps the temperature that it has."""
        return await self._run(name, rows, given, draw, samples)

    async def score_terms(self, x: Floats, samples: range, draw: Draw) -> Arrays:
        """The outputs of `score`, each (rows, samples); (rows, 1) for a model that needs no samples."""
        return await self._run("score", len(x), {"x": x}, draw, samples)

    async def code(self, end: Code, draw: Draw) -> Floats:
        """The code of one end of a path, without batch axis; `draw` gives the label, and the noise at temperature 0."""
        self._operation("decode")
        if end.z is not None:
            inputs.as_row(self.manifest, "decode", "z", end.z)
            return end.z
        if end.x is not None:
            self._operation("encode")
            encoded = await self.encode(inputs.as_row(self.manifest, "encode", "x", end.x), draw)
        else:
            encoded = await self.sample(1, replace(draw, seed=end.seed, index=end.index, temperature=1.0))
        code: Floats = encoded["z"][0].astype(np.float32)
        return code

    def conditioning(self, mask: Floats) -> str:
        """`exact` where the kept values are a prefix of the model's order in every row, else `causal`."""
        flat = mask.reshape(len(mask), -1)
        ordered = flat[:, self.manifest.order] if self.manifest.order else flat
        return "exact" if (np.diff(ordered, axis=1) <= 0).all() else "causal"

    async def check(self, name: OperationName, rows: int, data: Mapping[str, Floats], draw: Draw) -> Arrays:
        """The inputs that are given, labels among them; refused if the model or the limits do not allow them."""
        self.check_rows(name, rows)
        for tensor, array in data.items():
            if array.nbytes > _LARGE:
                await asyncio.to_thread(inputs.check_tensor, self.manifest, name, tensor, array)
            else:
                inputs.check_tensor(self.manifest, name, tensor, array)
            if len(array) != rows:
                raise InvalidInput(f"{tensor} has {len(array)} rows, {next(iter(data))} {rows}")
        given: Arrays = dict(data)
        if self.manifest.operations[name].label:
            given["label"] = inputs.labels(self.manifest, name, rows, draw.label)
        elif draw.label is not None:
            raise InvalidInput(f"{self.manifest.name} takes no label to {name}")
        return given

    def check_rows(self, name: OperationName, rows: int) -> None:
        """Refused if the model lacks the operation, or if so many rows or their answer are over the limits."""
        self._operation(name)
        inputs.check_count("rows", rows, self.settings.request_rows)
        size = inputs.answer_size(self.manifest, name, rows)
        inputs.check_count("bytes of answer", size, self.settings.answer_bytes)

    def _operation(self, name: OperationName) -> Operation:
        """CapabilityNotSupported, in the model's own terms, if it lacks the operation."""
        if name not in self.manifest.operations:
            can = [operation for operation in OPERATIONS if operation in self.manifest.operations]
            reason = self.manifest.absent[name]
            raise CapabilityNotSupported(f"{self.manifest.name} cannot {name}: {reason}. It can {_listed(can)}.", can)
        return self.manifest.operations[name]

    async def _run(
        self,
        name: OperationName,
        rows: int,
        data: dict[str, Floats],
        draw: Draw,
        samples: range | None = None,
        outputs: Names = None,
    ) -> Arrays:
        """Checked, cut into pieces, run, and put together again."""
        given = await self.check(name, rows, data, draw)
        operation = self.manifest.operations[name]
        wanted = tuple(output for output in operation.outputs if outputs is None or output in outputs)
        batcher = self._batchers[operation.graph]
        samples = samples if operation.noise else None
        pieces = list(cut(rows, samples, batcher.job_rows))
        whole = Whole(rows, samples, pieces)
        jobs = (self._job(name, given, draw, piece, wanted or operation.outputs) for piece in pieces)
        await batcher.run(whole.size, jobs, whole.put)
        trace.current().rows += rows
        return whole.arrays

    def _job(self, name: OperationName, given: Arrays, draw: Draw, piece: Piece, outputs: tuple[str, ...]) -> Job:
        rows = piece.rows.stop - piece.rows.start
        data = {tensor: self._part(name, tensor, array, piece) for tensor, array in given.items()}
        inputs = self._noise(name, draw, piece, given) | data | fill(self.manifest, name, rows)
        return Job(rows, 1 if piece.samples is None else len(piece.samples), outputs, inputs)

    def _part(self, name: OperationName, tensor: str, array: NDArray[Any], piece: Piece) -> NDArray[Any]:
        """Noise that is given has a samples axis where the drawn one has."""
        if piece.samples is None or tensor not in self.manifest.operations[name].noise:
            return array[piece.rows]
        return array[piece.rows, piece.samples.start : piece.samples.stop]

    def _noise(self, name: OperationName, draw: Draw, piece: Piece, given: Arrays) -> dict[str, NDArray[Any] | Noise]:
        index, rows = draw.index + piece.rows.start, piece.rows.stop - piece.rows.start
        stretch = Stretch(draw.seed, index, rows, piece.samples, draw.temperature)
        return {
            tensor: Noise(kind, tensor, self.manifest.shape(name, tensor), stretch)
            for tensor, kind in self.manifest.operations[name].noise.items()
            if tensor not in given
        }


def _listed(names: Sequence[str]) -> str:
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
